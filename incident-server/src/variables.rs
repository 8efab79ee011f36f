//! Variables that look like settings and are none: a misspelt one would be as if it were not set.

use std::ffi::OsString;

const OURS: &str = "INCIDENT_";
/// What the project's own tests are told by, and the servers that they start inherit. Everything that is passed over.
const OF_TESTS: [&str; 8] = [
    "INCIDENT_SERVER_BIN",
    "INCIDENT_SERVER_URL",
    "INCIDENT_TEST_FREEZE",
    "INCIDENT_TEST_POSTGRES_BIN",
    "INCIDENT_TEST_POSTGRES_URL",
    "INCIDENT_TEST_POSTGRES_USER",
    "INCIDENT_TEST_STORE",
    "INCIDENT_TEST_STORED",
];
/// Kubernetes sets `INCIDENT_SERVER_PORT` and many more in every Pod beside a Service named incident-server.
const OF_SERVICES: [&str; 2] = ["_SERVICE_", "_PORT"];

/// What to say of the first variable that is no setting, if there is one.
pub(crate) fn complaint(known: &[&str], names: impl Iterator<Item = OsString>) -> Option<String> {
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let unknown = |name: &String| {
        let name = name.as_str();
        name.starts_with(OURS) && !known.contains(&name) && !OF_TESTS.contains(&name)
    };
    let mut unknown: Vec<_> = names.filter(unknown).collect();
    unknown.sort_unstable();
    let name = unknown.first()?;
    let nearest = known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name))?;
    let of_service = OF_SERVICES.iter().any(|part| name.contains(part));
    let advice = if of_service {
        "Unset it otherwise; if Kubernetes sets it for a Service, with enableServiceLinks: false in the Pod"
    } else {
        "Unset it otherwise"
    };
    Some(format!("the variable {name} is no setting of this program; did you mean {nearest}? {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 3] = ["INCIDENT_LISTEN", "INCIDENT_ID_SECRET_FILE", "INCIDENT_AUTH_JWKS"];

    fn complaint_of(names: &[&str]) -> Option<String> {
        complaint(&KNOWN, names.iter().map(OsString::from))
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_nearest_name() {
        for misspelt in ["INCIDENT_ID_SECRET", "INCIDENT_ID_SECRET_FLIE", "INCIDENT_SECRET_ID_FILE"] {
            let said = complaint_of(&["PATH", "INCIDENT_LISTEN", misspelt]).unwrap();
            assert!(said.contains(misspelt) && said.contains("mean INCIDENT_ID_SECRET_FILE?"), "{said}");
        }
    }

    #[test]
    fn what_others_set_is_passed_over() {
        for other in OF_TESTS.into_iter().chain(["INCIDENTS", "HOME", ""]) {
            assert_eq!(complaint_of(&[other]), None, "{other}");
        }
    }

    #[test]
    fn what_only_begins_like_them_is_not() {
        for name in ["INCIDENT_TEST_STOER", "INCIDENT_SERVER_LISTEN", "INCIDENT_", "INCIDENT_TEST_STORE_"] {
            let said = complaint_of(&[name]).unwrap();
            assert!(said.contains(name) && !said.contains("Kubernetes"), "{said}");
        }
    }

    #[test]
    fn of_a_variable_that_kubernetes_sets_it_is_told_how_to_be_rid_of_it() {
        for name in ["INCIDENT_SERVER_SERVICE_HOST", "INCIDENT_SERVER_PORT", "INCIDENT_SERVER_PORT_80_TCP"] {
            let said = complaint_of(&[name]).unwrap();
            assert!(said.contains(name) && said.contains("enableServiceLinks: false"), "{said}");
        }
    }
}

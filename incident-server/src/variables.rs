//! Variables that look like settings and are none: a misspelt one would be as if it were not set.

use std::ffi::OsString;

const OURS: &str = "INCIDENT_";
/// Not ours: Kubernetes sets `INCIDENT_SERVER_PORT` and the like beside a service named incident-server; and the
/// project's own tests name their things so.
const OTHERS: [&str; 2] = ["INCIDENT_SERVER_", "INCIDENT_TEST_"];

/// What to say of the first variable that is no setting, if there is one.
pub(crate) fn complaint(known: &[&str], names: impl Iterator<Item = OsString>) -> Option<String> {
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let unknown = |name: &String| {
        name.starts_with(OURS)
            && !known.contains(&name.as_str())
            && !OTHERS.iter().any(|of| name.starts_with(of))
    };
    let mut unknown: Vec<_> = names.filter(unknown).collect();
    unknown.sort_unstable();
    let name = unknown.first()?;
    let nearest = known.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name))?;
    Some(format!(
        "the variable {name} is no setting of this program; did you mean {nearest}? Unset it otherwise"
    ))
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
        for other in ["INCIDENT_SERVER_SERVICE_HOST", "INCIDENT_TEST_STORE", "INCIDENTS", "HOME", ""] {
            assert_eq!(complaint_of(&[other]), None, "{other}");
        }
    }
}

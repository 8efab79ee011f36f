//! What the environment says of traces, and where a request says to which it belongs.

/// Names the caller's span. Of `tracestate`, which is any text, nothing is taken.
pub(super) const TRACEPARENT: &str = "traceparent";
/// What a collector is named by: any of these.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Whether the environment asks for traces.
pub(super) fn are_asked_for(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is = |name, value: &str| variable(name).is_some_and(|said| said.eq_ignore_ascii_case(value));
    let is_set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    ENDPOINTS.iter().any(is_set) && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_asked_for_by_naming_a_collector_and_nothing_that_forbids_them() {
        let asked = |set: &[(&str, &str)]| {
            are_asked_for(|name| {
                set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert!(asked(&[collector]) && asked(&[(ENDPOINTS[0], "http://127.0.0.1:4318/v1/traces")]));
        assert!(!asked(&[]) && !asked(&[(collector.0, "")]) && !asked(&[("OTEL_SERVICE_NAME", "x")]));
        assert!(!asked(&[collector, ("OTEL_SDK_DISABLED", "TRUE")]));
        assert!(!asked(&[collector, ("OTEL_TRACES_EXPORTER", "none")]));
    }
}

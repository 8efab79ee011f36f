// What people wrote is in no `dump` and no log. Their `description` is the Rust library's, which shows none of it.

import IncidentSyncGenerated

/// Shows no field to whoever looks for fields.
protocol WithoutFields: CustomReflectable {}

extension WithoutFields {
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension IncidentSyncGenerated.CanonicalPayload: WithoutFields {}
extension IncidentSyncGenerated.Draft: WithoutFields {}
extension IncidentSyncGenerated.Entry: WithoutFields {}
extension IncidentSyncGenerated.Header: WithoutFields {}
extension IncidentSyncGenerated.Incident: WithoutFields {}
extension IncidentSyncGenerated.Problem: WithoutFields {}
extension IncidentSyncGenerated.Upload: WithoutFields {}
extension IncidentSyncGenerated.UploadResult: WithoutFields {}

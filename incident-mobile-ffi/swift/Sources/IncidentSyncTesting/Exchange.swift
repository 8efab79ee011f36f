// Between the outbox's shapes and those of the server for tests, which is a library of its own.

import Foundation
import IncidentSync
import IncidentSyncTestingGenerated

/// An incident as the fake server has it; of an erased one nothing but its id and its moment is left.
public struct FakeIncident: Equatable, Sendable {
    public let id: String
    /// Nobody for an anonymous one.
    public let reporter: String?
    public let status: IncidentSync.IncidentStatus?
    public let locationId: String?
    public let cancellationReason: String?
    public let createdAt: Date
    /// All that it says, in JSON, as an entry's payload has it.
    public let payload: String?

    init(_ incident: IncidentSyncTestingGenerated.FakeIncident) {
        id = incident.id
        reporter = incident.reporter
        status = incident.status.map { $0 == .open ? .open : .cancelled }
        locationId = incident.locationId
        cancellationReason = incident.cancellationReason
        createdAt = incident.createdAt
        payload = incident.payload
    }
}

// What people wrote is in no `dump`, in no log, and in no test that fails.
extension FakeIncident: CustomStringConvertible, CustomReflectable {
    public var description: String { "FakeIncident(id: \(id))" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Request {
    init(_ upload: Upload) {
        let headers = upload.headers.map { IncidentSyncTestingGenerated.Header(name: $0.name, value: $0.value) }
        self.init(path: upload.path, headers: headers, body: upload.body)
    }
}

extension UploadResult {
    init(_ answer: Answer) {
        switch answer {
        case .response(let status, let headers, let body):
            let headers = headers.map { IncidentSync.Header(name: $0.name, value: $0.value) }
            self = .response(status: status, headers: headers, body: body)
        case .networkFailure(let kind, let detail, let sent):
            self = .networkFailure(kind: NetworkFailureKind(kind), detail: detail, sent: sent)
        }
    }
}

extension NetworkFailureKind {
    init(_ kind: FailureKind) {
        switch kind {
        case .offline: self = .offline
        case .timedOut: self = .timedOut
        case .other: self = .other
        }
    }
}

import Foundation
import IncidentSyncGenerated

/// Why an outbox did not do what it was asked. Nothing is lost by any of them.
public enum OutboxError: Error, Equatable, Sendable {
    /// The draft or the reason breaks rules, all of which are here: correct it.
    case invalid(violations: [Violation])
    /// The text is no JSON document.
    case malformed(detail: String)
    /// The reporter's identity is none that a token could carry.
    case invalidReporter
    /// The call asks for what cannot be, such as a list of fewer than no entries: correct the code.
    case invalidArgument(detail: String)
    /// The report was called off before, for another reason.
    case alreadyCancelled
    /// This reporter has no entry of that key.
    case notFound
    /// The entry still waits to be sent: cancel it instead.
    case stillPending
    /// The queue holds as much as it may: sync first.
    case full
    /// The device has no room left: free some.
    case noSpace
    /// The file cannot be used at the moment and was not touched: try again later.
    case unavailable(detail: String)
    /// The file was corrupt while in use and has been repaired: ask again.
    case corrupt
    /// A newer version of the app wrote the file: update.
    case newerSchema
    /// The outbox was closed: open it again.
    case closed
}

extension OutboxError: LocalizedError {
    /// In the words of the Rust library.
    public var errorDescription: String? {
        switch self {
        case .invalid(let violations): return violations.map { $0.detail }.joined(separator: "; ")
        case .malformed(let detail): return detail
        case .invalidReporter: return "a reporter's identity has 1 to 255 characters and no control character"
        case .invalidArgument(let detail): return detail
        case .alreadyCancelled: return "the report is already cancelled for another reason, which stays"
        case .notFound: return "this reporter has no such entry, or no longer: look at the list again"
        case .stillPending: return "an entry that still waits to be sent is not discarded: cancel it instead"
        case .full: return "the outbox holds as much as it may: sync, then report again"
        case .noSpace: return "the device has no room left: free some, then try again"
        case .unavailable(let detail): return detail
        case .corrupt: return "the outbox was corrupt and has been repaired; ask again"
        case .newerSchema: return "a newer version has taken the outbox over, and nothing is lost: update this one"
        case .closed: return "the outbox is closed: open it again"
        }
    }
}

extension OutboxError {
    init(_ error: any Error) {
        guard let known = error as? IncidentSyncGenerated.OutboxError else {
            // A bug in the Rust library: the file is as its last commit left it.
            self = .unavailable(detail: "the core failed: " + error.localizedDescription)
            return
        }
        switch known {
        case .Invalid(let violations): self = .invalid(violations: violations)
        case .Malformed(let detail): self = .malformed(detail: detail)
        case .InvalidReporter: self = .invalidReporter
        case .InvalidArgument(let detail): self = .invalidArgument(detail: detail)
        case .AlreadyCancelled: self = .alreadyCancelled
        case .NotFound: self = .notFound
        case .StillPending: self = .stillPending
        case .Full: self = .full
        case .NoSpace: self = .noSpace
        case .Unavailable(let detail): self = .unavailable(detail: detail)
        case .Corrupt: self = .corrupt
        case .NewerSchema: self = .newerSchema
        case .Closed: self = .closed
        }
    }
}

/// Runs `work`; what it throws becomes an `OutboxError`.
func typed<T>(_ work: () throws -> T) throws -> T {
    do {
        return try work()
    } catch {
        throw OutboxError(error)
    }
}

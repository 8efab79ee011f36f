import Foundation
import IncidentSyncGenerated

/// Brings one request to the server, with the token, and comes back with whatever happened.
///
/// No redirects, no silent repeats, and no longer than `upload.timeoutMs`, which is for the transport to keep: a sync waits
/// as long as it takes. Where its task is cancelled: `.cancelled`, which ends a sync. What it throws ends a sync, which
/// hands the upload back to the queue.
public protocol Transport: Sendable {
    /// Sends one request.
    func send(_ upload: Upload) async throws -> UploadResult
}

/// Why a sync ended.
public enum SyncEnd: Equatable, Sendable {
    /// Nothing goes before this moment: schedule the next sync for it.
    case wait(until: Date, why: WaitReason, detail: String)
    /// Nothing goes before there is a new token: sign in, then `tokenChanged()`.
    case signIn(why: SignInReason, detail: String)
    /// Nothing is left to send.
    case idle
}

extension Outbox {
    /// Sends what there is to send, until the queue says wait, sign in or idle.
    ///
    /// `progress` hears of every answer. Where the task is cancelled, the upload under way is handed back, the
    /// entries are pending as before, and `CancellationError` is thrown; likewise whatever the transport throws.
    @discardableResult
    public func sync(
        transport: any Transport,
        progress: @Sendable (SyncProgress) -> Void = { _ in }
    ) async throws -> SyncEnd {
        while true {
            switch try await nextUpload() {
            case .send(let upload):
                if Task.isCancelled {
                    try await completeUpload(id: upload.id, result: .cancelled)
                    throw CancellationError()
                }
                do {
                    let result = try await transport.send(upload)
                    let step = try await completeUpload(id: upload.id, result: result)
                    if case .cancelled = result {
                        try Task.checkCancellation()
                        // Nothing but the transport holds the queue up: it may be asked again at any time.
                        return .wait(until: Date(), why: .noAnswer, detail: "the transport cancelled the upload")
                    }
                    progress(step)
                } catch {
                    _ = try? await completeUpload(id: upload.id, result: .cancelled)
                    throw error
                }
            case .wait(let until, let why, let detail):
                return .wait(until: until, why: why, detail: detail)
            case .signIn(let why, let detail):
                return .signIn(why: why, detail: detail)
            case .idle:
                return .idle
            }
        }
    }
}

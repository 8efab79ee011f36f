import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The answer to a full batch stays far below. A longer one is not read on and comes without its body: it is not ours.
let longestAnswer = 1024 * 1024

/// The requests of one session, each read part by part: `URLSession` alone would read an answer to its end, however
/// long. No redirect is followed: it is somebody else's answer and is judged as such, and the token stays here.
final class Exchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    typealias Answer = (response: URLResponse?, body: Data)

    private struct Exchange {
        let continuation: CheckedContinuation<Answer, any Error>
        var body = Data()
    }

    private let lock = NSLock()
    private var open: [Int: Exchange] = [:]
    /// A request may be cancelled before it has begun.
    private var cancelled: Set<Int> = []

    /// Sends `request`; where the task is cancelled, so is the request. It is an upload task, for on Linux no other counts
    /// what it has sent.
    func send(
        _ request: URLRequest, body: Data, with session: URLSession, noting way: Way
    ) async throws -> Answer {
        let task = session.uploadTask(with: request, from: body)
        way.begin(task)
        let id = task.taskIdentifier
        defer { forget(id) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if begin(id, Exchange(continuation: continuation)) {
                    task.resume()
                } else {
                    continuation.resume(throwing: URLError(.cancelled))
                }
            }
        } onCancel: {
            let exchange = cancel(id)
            task.cancel()
            exchange?.continuation.resume(throwing: URLError(.cancelled))
        }
    }

    private func begin(_ id: Int, _ exchange: Exchange) -> Bool {
        lock.withLock {
            if cancelled.contains(id) {
                return false
            }
            open[id] = exchange
            return true
        }
    }

    private func cancel(_ id: Int) -> Exchange? {
        lock.withLock {
            cancelled.insert(id)
            return open.removeValue(forKey: id)
        }
    }

    private func forget(_ id: Int) {
        lock.withLock { _ = cancelled.remove(id) }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let tooLong = lock.withLock { () -> Exchange? in
            guard var exchange = open.removeValue(forKey: dataTask.taskIdentifier) else {
                return nil
            }
            if exchange.body.count + data.count > longestAnswer {
                return exchange
            }
            exchange.body.append(data)
            open[dataTask.taskIdentifier] = exchange
            return nil
        }
        if let tooLong {
            dataTask.cancel()
            tooLong.continuation.resume(returning: (dataTask.response, Data()))
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let exchange = lock.withLock({ open.removeValue(forKey: task.taskIdentifier) }) else {
            return
        }
        if let error {
            exchange.continuation.resume(throwing: error)
        } else {
            exchange.continuation.resume(returning: (task.response, exchange.body))
        }
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}

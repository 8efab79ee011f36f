import Foundation
import IncidentSync
import XCTest
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A test that lacks what it needs fails and says what.
struct Missing: Error, CustomStringConvertible {
    let description: String
}

func variable(_ name: String) throws -> String {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else {
        throw Missing(description: name + " is not set: run the tests with incident-mobile-ffi/swift/test")
    }
    return value
}

func serverURL() throws -> URL {
    let text = try variable("INCIDENT_SERVER_URL")
    guard let url = URL(string: text) else {
        throw Missing(description: "INCIDENT_SERVER_URL is no address: " + text)
    }
    return url
}

/// The way to the real server, as alice or as the owner of another token.
func server(tokenFrom name: String = "INCIDENT_TOKEN") throws -> URLSessionTransport {
    let token = try variable(name)
    return URLSessionTransport(baseURL: try serverURL()) { token }
}

/// A file name that nobody has.
func newPath() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("outbox-" + UUID().uuidString + ".db").path
}

func newOutbox() async throws -> Outbox {
    try await Outbox.open(path: newPath(), reporter: "alice")
}

/// A report of some hours ago: tests that share the server share no moment.
func draft(_ location: String, hoursAgo: Int64 = 0, plusMs: Int64 = 0) -> Draft {
    let createdAt = Date() - Double(hoursAgo) * 3600 + Double(plusMs) / 1000
    return Draft(locationId: location, longitude: 12.4924, latitude: 41.8902, createdAt: createdAt)
}

/// What `work` fails with, if it fails.
func failure<T>(of work: () async throws -> T) async -> OutboxError? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error as? OutboxError
    }
}

/// The kinds of the history that the server has of an incident.
func history(of id: String) async throws -> [String] {
    let address = try variable("INCIDENT_SERVER_URL") + "/api/incidents/" + id + "/history"
    guard let url = URL(string: address) else {
        throw Missing(description: "no address: " + address)
    }
    var request = URLRequest(url: url)
    let token = try variable("INCIDENT_TOKEN")
    request.setValue("Bearer " + token, forHTTPHeaderField: "Authorization")
    let (body, _) = try await URLSession.shared.data(for: request)
    struct History: Decodable {
        struct Event: Decodable {
            let kind: String
        }
        let events: [Event]
    }
    return try JSONDecoder().decode(History.self, from: body).events.map { $0.kind }
}

/// How many reports an upload carries.
func count(_ upload: Upload) throws -> Int {
    struct Batch: Decodable {
        struct Report: Decodable {}
        let incidents: [Report]?
    }
    return try JSONDecoder().decode(Batch.self, from: upload.body).incidents?.count ?? 1
}

/// A network that always answers the same.
struct Always: Transport {
    let result: UploadResult

    func send(_ upload: Upload) async -> UploadResult {
        result
    }
}

/// A network whose answers the server gave, and which then got lost.
struct LosesAnswers: Transport {
    let inner: URLSessionTransport

    func send(_ upload: Upload) async throws -> UploadResult {
        _ = try await inner.send(upload)
        return .networkFailure(kind: .offline, detail: "", sent: false)
    }
}

/// A proxy before the server that lets only small batches through.
actor SmallProxy: Transport {
    let inner: URLSessionTransport
    let most: Int
    private(set) var sizes: [Int] = []

    init(inner: URLSessionTransport, most: Int) {
        self.inner = inner
        self.most = most
    }

    func send(_ upload: Upload) async throws -> UploadResult {
        let size = (try? count(upload)) ?? 0
        sizes.append(size)
        if size > most {
            return .response(status: 413, headers: [], body: Data())
        }
        return try await inner.send(upload)
    }
}

/// A network that never answers; it says when it has been asked.
struct Silence: Transport {
    let asked: AsyncStream<Void>.Continuation

    func send(_ upload: Upload) async -> UploadResult {
        asked.yield()
        while !Task.isCancelled {
            try? await Task.sleep(nanoseconds: 1_000_000_000)
        }
        return .cancelled
    }
}

/// Where a token is kept, and exchanged.
actor Wallet {
    var token: String

    init(token: String) {
        self.token = token
    }

    func put(_ token: String) {
        self.token = token
    }
}

/// Adds up what a sync says.
final class Tally: @unchecked Sendable {
    private let lock = NSLock()
    private var steps: [SyncProgress] = []

    func add(_ step: SyncProgress) {
        lock.lock()
        steps.append(step)
        lock.unlock()
    }

    var all: [SyncProgress] {
        lock.lock()
        defer { lock.unlock() }
        return steps
    }
}

import Foundation
import IncidentSyncGenerated
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The network by `URLSession`, on Apple's systems and on Linux.
public final class URLSessionTransport: Transport {
    private let baseURL: URL
    /// For an anonymous report: whoever gave a cookie would know by it whose the report is.
    private let withoutCookies: URLSessionConfiguration
    private let session: URLSession
    private let exchanges = Exchanges()
    private let token: @Sendable () async throws -> String?

    /// `token` is asked before every request, and what it gives is stored nowhere. With `nil` the request goes
    /// without a token, so that the server asks to sign in; a text that no header can carry is no token either. What it
    /// throws ends the sync, but for a `URLError`, which counts as no network. Where the time of the upload is over, or
    /// the sync cancelled, it is cancelled and not waited for.
    public init(
        baseURL: URL,
        configuration: URLSessionConfiguration = .ephemeral,
        token: @escaping @Sendable () async throws -> String?
    ) {
        self.baseURL = baseURL
        self.withoutCookies = configuration.withoutCookies()
        self.session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
        self.token = token
    }

    deinit {
        session.finishTasksAndInvalidate()
    }

    /// Sends one request; an answer that drips in too slowly is none. Throws `URLError` where the address is none: it
    /// has a host, and may have a port and a path, but no user, query or fragment.
    public func send(_ upload: Upload) async throws -> UploadResult {
        let address = try address(of: upload)
        let way = Way()
        do {
            return try await inTime(upload.timeoutMs, noting: way) {
                try await self.exchange(upload, at: address, noting: way)
            }
        } catch {
            if Task.isCancelled {
                return UploadResult.cancelled
            }
            if let failure = error as? URLError {
                return failure.asResult(sent: way.hasLeft)
            }
            throw error
        }
    }

    /// Whichever comes first, what the exchange brings or the end of its time. They are no children of this task, which
    /// would wait for them: an app's `token` may heed no cancellation.
    private func inTime(
        _ timeoutMs: Int64, noting way: Way, _ exchange: @escaping @Sendable () async throws -> UploadResult
    ) async throws -> UploadResult {
        let (results, result) = AsyncThrowingStream.makeStream(of: UploadResult.self)
        let exchanging = Task {
            do { result.yield(try await exchange()) } catch { result.finish(throwing: error) }
        }
        let waiting = Task {
            try await Task.sleep(nanoseconds: UInt64(clamping: timeoutMs) * 1_000_000)
            result.yield(.networkFailure(kind: .timedOut, detail: "no answer in time", sent: way.hasLeft))
        }
        defer {
            exchanging.cancel()
            waiting.cancel()
        }
        for try await first in results {
            return first
        }
        return .cancelled
    }

    private func exchange(_ upload: Upload, at address: URL, noting way: Way) async throws -> UploadResult {
        var request = URLRequest(url: address)
        request.httpMethod = upload.method
        request.timeoutInterval = Double(upload.timeoutMs) / 1000
        for header in upload.headers {
            request.setValue(header.value, forHTTPHeaderField: header.name)
        }
        // An answer that is packed could be a thousand times as long as what was read of it.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        do {
            if let bearer = try await self.token(), isVisible(bearer) {
                request.setValue("Bearer " + bearer, forHTTPHeaderField: "Authorization")
            }
        } catch let failure as URLError where !Task.isCancelled {
            return failure.asResult(sent: false)
        }
        let (response, body) = try await answer(to: request, with: upload, noting: way)
        guard let http = response as? HTTPURLResponse else {
            return UploadResult.networkFailure(kind: .other, detail: "an answer that is not HTTP's", sent: true)
        }
        var headers: [Header] = []
        for (name, value) in http.allHeaderFields {
            headers.append(Header(name: "\(name)", value: "\(value)"))
        }
        return UploadResult.response(status: Int64(http.statusCode), headers: headers, body: body)
    }

    /// An anonymous report goes on a connection of its own, and without cookies: in a session that nothing was sent in and
    /// nothing will be.
    private func answer(
        to request: URLRequest, with upload: Upload, noting way: Way
    ) async throws -> Exchanges.Answer {
        guard isApart(upload) else {
            return try await exchanges.send(request, body: upload.body, with: session, noting: way)
        }
        let exchanges = Exchanges()
        let session = URLSession(configuration: withoutCookies, delegate: exchanges, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        return try await exchanges.send(request, body: upload.body, with: session, noting: way)
    }

    private func address(of upload: Upload) throws -> URL {
        var base = baseURL.absoluteString
        while base.hasSuffix("/") {
            base.removeLast()
        }
        guard let url = URL(string: base + upload.path), let host = url.host, !host.isEmpty,
              url.scheme == "https" || url.scheme == "http",
              url.user == nil, url.query == nil, url.fragment == nil else {
            throw URLError(.badURL)
        }
        return url
    }
}

private extension URLSessionConfiguration {
    /// The same, and nothing that a server has given is sent or kept.
    func withoutCookies() -> URLSessionConfiguration {
        let copy = self.copy() as? URLSessionConfiguration ?? .ephemeral
        copy.httpCookieStorage = nil
        copy.httpShouldSetCookies = false
        copy.urlCache = nil
        return copy
    }
}

/// Whether the upload is to go on a connection of its own.
private func isApart(_ upload: Upload) -> Bool {
    upload.headers.contains { $0.name.lowercased() == "connection" && $0.value == "close" }
}

/// Whether a header can carry it (RFC 9110, section 5.5), and without white space.
private func isVisible(_ token: String) -> Bool {
    !token.isEmpty && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
}

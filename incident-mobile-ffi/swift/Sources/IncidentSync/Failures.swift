import Foundation
import IncidentSyncGenerated
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension URLError {
    /// What this says about the network. Only a number is told: the words may quote whatever the error was given.
    /// `asked` says whether there was a request yet, and not only one for its token.
    func asResult(asked: Bool) -> UploadResult {
        let kind = networkFailure
        // Without a connection nothing has left.
        let sent = asked && (kind == .timedOut || kind == .other)
        return .networkFailure(kind: kind, detail: "URLError \(code.rawValue)", sent: sent)
    }

    private var networkFailure: NetworkFailureKind {
        switch code {
        case .notConnectedToInternet, .cannotFindHost, .dnsLookupFailed, .dataNotAllowed, .internationalRoamingOff,
            .callIsActive:
            return .offline
        case .secureConnectionFailed, .serverCertificateHasBadDate, .serverCertificateUntrusted,
            .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid, .clientCertificateRejected,
            .clientCertificateRequired, .appTransportSecurityRequiresSecureConnection:
            return .tls
        case .cannotConnectToHost:
            return .refused
        case .timedOut:
            return .timedOut
        default:
            return .other
        }
    }
}

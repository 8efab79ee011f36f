import Foundation
import IncidentSyncGenerated
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension URLError {
    /// What this says about the network. Only a number is told: the words may quote whatever the error was given.
    /// `sent` says whether the request may have left the device.
    func asResult(sent: Bool) -> UploadResult {
        .networkFailure(kind: networkFailure, detail: "URLError \(code.rawValue)", sent: sent)
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

// Between the outbox's shapes and those of the server for tests, which is a library of its own.
package incidentsync.testing

import incidentsync.Header
import incidentsync.IncidentStatus
import incidentsync.NetworkFailureKind
import incidentsync.Upload
import incidentsync.UploadResult
import incidentsync.testing.generated.Answer
import incidentsync.testing.generated.FakeFault as CoreFault
import incidentsync.testing.generated.FakeIncident as CoreIncident
import incidentsync.testing.generated.Header as CoreHeader
import incidentsync.testing.generated.Request

internal fun Upload.toRequest(): Request = Request(path, headers.map { CoreHeader(it.name, it.value) }, body)

internal fun Answer.toResult(): UploadResult =
    when (this) {
        is Answer.Response -> UploadResult.Response(status.toInt(), headers.map { Header(it.name, it.value) }, body)
        is Answer.NetworkFailure -> UploadResult.NetworkFailure(NetworkFailureKind.valueOf(kind.name), detail, sent)
    }

internal fun toPublic(incident: CoreIncident): FakeIncident =
    FakeIncident(
        id = incident.id,
        reporter = incident.reporter,
        status = incident.status?.let { IncidentStatus.valueOf(it.name) },
        locationId = incident.locationId,
        cancellationReason = incident.cancellationReason,
        createdAt = incident.createdAt,
        payload = incident.payload,
    )

internal fun lowered(fault: FakeFault): CoreFault =
    when (fault) {
        FakeFault.Offline -> CoreFault.Offline
        FakeFault.LostAnswer -> CoreFault.LostAnswer
        FakeFault.SlowLine -> CoreFault.SlowLine
        FakeFault.Unauthorized -> CoreFault.Unauthorized
        FakeFault.Firewall -> CoreFault.Firewall
        is FakeFault.Busy -> CoreFault.Busy(fault.retryAfterS)
        FakeFault.Conflict -> CoreFault.Conflict
    }

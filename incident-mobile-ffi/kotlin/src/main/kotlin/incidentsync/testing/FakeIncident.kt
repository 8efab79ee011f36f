package incidentsync.testing

import incidentsync.IncidentStatus
import java.time.Instant

/** An incident as the fake server has it; of an erased one nothing but its id and its moment is left. */
public data class FakeIncident(
    public val id: String,
    /** Nobody for an anonymous one. */
    public val reporter: String?,
    public val status: IncidentStatus?,
    public val locationId: String?,
    public val cancellationReason: String?,
    public val createdAt: Instant,
    /** All that it says, in JSON, as an entry's payload has it. */
    public val payload: String?,
) {
    /** What people wrote is shown by no log, nor by a test that fails. */
    override fun toString(): String = "FakeIncident(id=$id, status=$status)"
}

// What needs no file: the core's own reading of drafts, payloads and keys.
package incidentsync

import java.time.Instant

/** Checks a draft as [Outbox.report] would, and gives its canonical payload; [now] stands in for an absent time. */
public fun validateDraft(draft: Draft, now: Instant = Instant.now()): String = core {
    requireText(draft)
    incidentsync.generated.validateDraft(draft, now)
}

/** The idempotency key of what [reporter] reported at [createdAt], an ISO 8601 date-time with an offset. */
public fun deriveKey(reporter: String, createdAt: String): String = core {
    requireText("reporter", reporter)
    requireText("createdAt", createdAt)
    incidentsync.generated.deriveKey(reporter, createdAt)
}

/** Reads a payload in JSON text as the server would. */
public fun canonicalPayload(json: ByteArray): CanonicalPayload = core { incidentsync.generated.canonicalPayload(json) }

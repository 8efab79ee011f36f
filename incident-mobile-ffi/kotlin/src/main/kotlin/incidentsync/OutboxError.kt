package incidentsync

import incidentsync.generated.FfiConverterTypeDraft
import incidentsync.generated.InternalException
import incidentsync.generated.OutboxException
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/** Why an outbox did not do what it was asked: each kind is one thing to do about it. Nothing is lost by any. */
public sealed class OutboxError(message: String) : Exception(message) {
    /** The draft or the reason breaks rules, all of which are listed: correct it. */
    public class Invalid(public val violations: List<Violation>) :
        OutboxError(violations.joinToString("; ") { it.detail })

    /** The text is no JSON document, or no Unicode text at all. */
    public class Malformed(public val detail: String) : OutboxError(detail)

    /** The reporter's identity is none that a token could carry. */
    public class InvalidReporter :
        OutboxError("a reporter's identity has 1 to 255 characters and no control character")

    /** The call asks for what cannot be, such as a list of fewer than no entries: correct the code. */
    public class InvalidArgument(public val detail: String) : OutboxError(detail)

    /** The report was called off before, for another reason. */
    public class AlreadyCancelled : OutboxError("the report is already cancelled for another reason, which stays")

    /** This reporter has no entry of that key. */
    public class NotFound : OutboxError("this reporter has no such entry, or no longer: look at the list again")

    /** The entry still waits to be sent: cancel it instead. */
    public class StillPending : OutboxError("an entry that still waits to be sent is not discarded: cancel it instead")

    /** The queue holds as much as it may: sync first. */
    public class Full : OutboxError("the outbox holds as much as it may: sync, then report again")

    /** The device has no room left: free some. */
    public class NoSpace : OutboxError("the device has no room left: free some, then try again")

    /** The file cannot be used at the moment and was not touched: try again later. */
    public class Unavailable(public val detail: String) : OutboxError(detail)

    /** The file was corrupt while in use and has been repaired: ask again. */
    public class Corrupt : OutboxError("the outbox was corrupt and has been repaired; ask again")

    /** A newer version of the app wrote the file: update. */
    public class NewerSchema : OutboxError("a newer version has taken the outbox over, and nothing is lost: update this one")

    /** The outbox was closed: open it again. */
    public class Closed : OutboxError("the outbox is closed: open it again")
}

/** Calls the core, and puts what it throws into the words of this package. */
internal inline fun <T> core(call: () -> T): T =
    try {
        call()
    } catch (error: OutboxException) {
        throw error.translated()
    } catch (_: IllegalStateException) {
        // How the generated object answers once its handle is freed.
        throw OutboxError.Closed()
    } catch (bug: InternalException) {
        // A bug of the core's: the file is as its last commit left it.
        throw OutboxError.Unavailable("the core failed: ${bug.message}")
    }

internal fun OutboxException.translated(): OutboxError =
    when (this) {
        is OutboxException.Invalid -> OutboxError.Invalid(violations)
        is OutboxException.Malformed -> OutboxError.Malformed(detail)
        is OutboxException.InvalidReporter -> OutboxError.InvalidReporter()
        is OutboxException.InvalidArgument -> OutboxError.InvalidArgument(detail)
        is OutboxException.AlreadyCancelled -> OutboxError.AlreadyCancelled()
        is OutboxException.NotFound -> OutboxError.NotFound()
        is OutboxException.StillPending -> OutboxError.StillPending()
        is OutboxException.Full -> OutboxError.Full()
        is OutboxException.NoSpace -> OutboxError.NoSpace()
        is OutboxException.Unavailable -> OutboxError.Unavailable(detail)
        is OutboxException.Corrupt -> OutboxError.Corrupt()
        is OutboxException.NewerSchema -> OutboxError.NewerSchema()
        is OutboxException.Closed -> OutboxError.Closed()
    }

/**
 * Refuses text with half of a surrogate pair, which no UTF-8 can hold. It is refused before the core is called,
 * because the generated code would leak a handle.
 */
internal fun requireText(name: String, text: String?) {
    val broken = text != null && !Charsets.UTF_8.newEncoder().canEncode(text)
    if (broken) throw OutboxError.Malformed("$name holds half of a surrogate pair")
}

/** The same for every text of a draft: it is written as the generated code writes it, to nowhere. */
internal fun requireText(draft: Draft) {
    val bytes = FfiConverterTypeDraft.allocationSize(draft).toInt()
    try {
        FfiConverterTypeDraft.write(draft, ByteBuffer.allocate(bytes))
    } catch (_: CharacterCodingException) {
        throw OutboxError.Malformed("a text of the draft holds half of a surrogate pair")
    }
}

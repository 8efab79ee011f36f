package incidentsync.testing

/** What becomes of an upload instead of an answer. */
public sealed interface FakeFault {
    /** There is no network; nothing reached the server. */
    public data object Offline : FakeFault

    /** The server took it, and its answer was lost on the way. */
    public data object LostAnswer : FakeFault

    /** So slow a line that the time was over before the server had all of it. */
    public data object SlowLine : FakeFault

    /** The server takes the token for expired: 401. */
    public data object Unauthorized : FakeFault

    /** A firewall on the way refuses it with a page of its own: 403, which is no word of the server's. */
    public data object Firewall : FakeFault

    /** The server asks for patience: 429. */
    public data class Busy(public val retryAfterS: Long) : FakeFault

    /** Somebody else has a report of this name: 409 for each entry. */
    public data object Conflict : FakeFault
}

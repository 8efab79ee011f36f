import Foundation

/// The keys of a terminal, one by one.
@MainActor
enum Keyboard {
    /// Hands out what is pressed, at once and unseen; afterwards the terminal is as it was.
    static func each(_ use: @MainActor (AsyncStream<Character>) async throws -> Void) async throws {
        var before = termios()
        tcgetattr(STDIN_FILENO, &before)
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        defer {
            tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
            print()
        }
        try await use(pressed())
    }

    private nonisolated static func pressed() -> AsyncStream<Character> {
        AsyncStream { keys in
            Thread.detachNewThread {
                while true {
                    let typed = FileHandle.standardInput.availableData
                    if typed.isEmpty { break }
                    // By scalars: \r\n is one Character.
                    String(decoding: typed, as: UTF8.self).unicodeScalars.forEach { keys.yield(Character($0)) }
                }
                keys.finish()
            }
        }
    }
}

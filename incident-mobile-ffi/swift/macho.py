"""Reads what Apple's linkers read of a static library: its objects, what each is for, and its symbols."""

import struct
from dataclasses import dataclass

ARM64 = 0x0100000C
OBJECT = 1
SYMTAB, VERSION_MIN_MACOSX, VERSION_MIN_IPHONEOS, BUILD_VERSION = 0x2, 0x24, 0x25, 0x32
PLATFORMS = {1: "macos", 2: "ios", 7: "ios-simulator"}
STAB, HIDDEN, KIND, EXTERNAL = 0xE0, 0x10, 0x0E, 0x01


@dataclass
class Symbol:
    name: str
    defined: bool
    # Known to the other objects of the program, and to nothing outside it.
    hidden: bool


@dataclass
class Object:
    name: str
    processor: int
    kind: int
    # Of PLATFORMS, and the lowest version that it runs on.
    platform: str | None
    minimum: tuple[int, int] | None
    # Those that other objects see.
    symbols: list[Symbol]


def objects(path):
    """The objects of an archive; names in it follow their header, as Apple's ar has them."""
    archive = path.read_bytes()
    assert archive.startswith(b"!<arch>\n"), f"{path} is no archive"
    at = 8
    while at < len(archive):
        field, size = archive[at : at + 16].decode().strip(), int(archive[at + 48 : at + 58])
        assert field.startswith("#1/"), field
        start = at + 60 + int(field[3:])
        name = archive[at + 60 : start].rstrip(b"\0").decode()
        if not name.startswith("__.SYMDEF"):
            yield read(name, archive[start : at + 60 + size])
        at += 60 + size + size % 2


def read(name, data):
    magic, processor, _, kind, commands = struct.unpack_from("<5I", data)
    assert magic == 0xFEEDFACF, f"{name} is no object of 64 bits"
    platform = minimum = None
    symbols, at = [], 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", data, at)
        if command == SYMTAB:
            symbols = list(table(data, *struct.unpack_from("<3I", data, at + 8)))
        elif command == BUILD_VERSION:
            number, lowest = struct.unpack_from("<2I", data, at + 8)
            platform, minimum = PLATFORMS.get(number, number), version(lowest)
        elif command in (VERSION_MIN_MACOSX, VERSION_MIN_IPHONEOS):
            platform = "macos" if command == VERSION_MIN_MACOSX else "ios"
            minimum = version(*struct.unpack_from("<I", data, at + 8))
        at += size
    return Object(name, processor, kind, platform, minimum, symbols)


def version(packed):
    return packed >> 16, packed >> 8 & 0xFF


def table(data, at, count, names):
    for entry in range(at, at + 16 * count, 16):
        name, kind, _, _, value = struct.unpack_from("<IBBHQ", data, entry)
        if kind & EXTERNAL and not kind & STAB:
            text = data[names + name : data.index(b"\0", names + name)].decode()
            # Undefined with a value is common: defined, and laid out by the linker.
            yield Symbol(text, bool(kind & KIND or value), bool(kind & HIDDEN))

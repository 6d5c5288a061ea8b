#!/usr/bin/env python3
"""Checks the sources against the room table: who includes whom, what pure rooms may not touch, what headers look like.

The table is read from the mpca_room() rows of CMakeLists.txt and compared with the one in docs/ARCHITECTURE.md. Every
finding is one line `file:line: what is wrong; what is right`. Exit code 1 when there is one. check_architecture_test.py
shows for each rule that it can fail.
"""

import argparse
import dataclasses
import pathlib
import re
import sys

SOURCE_SUFFIXES = {".h", ".cpp"}

# What a room may only include when its row lists the library, and then only in its .cpp files: its users do not see it.
LIBRARY_OF_HEADER = {
    "nlohmann/": "nlohmann_json::nlohmann_json",
    "yaml-cpp/": "yaml-cpp",
    "cairo": "PkgConfig::CAIRO",
    "CLI/": "CLI11::CLI11",
    "boost/": "Boost::headers",
    "openssl/": "OpenSSL::SSL",
    "curl/": "CURL::libcurl",
    "prometheus/": "prometheus-cpp::core",
    "spdlog/": "spdlog::spdlog_header_only",
    "date/": "date::date-tz",
    "grpc": "external_scaler",
    "external_scaler.": "external_scaler",
}

# The headers that show a library on purpose: to include one is to include what it shows, with the rules of that.
SHOWS_A_LIBRARY = {"net/json.h": "nlohmann/json.hpp"}

# Standard headers that bring I/O, threads, exceptions or unrepeatable numbers into a pure room.
IMPURE_HEADERS = set(
    "iostream fstream filesystem thread mutex shared_mutex condition_variable future atomic semaphore latch barrier "
    "random stdexcept csignal ctime".split()
)

# Code (comments and texts are taken out before) that makes a result depend on more than its arguments.
IMPURE_CODE = [
    (re.compile(r"\bthrow\b"), "throws; return a Result"),
    (re.compile(r"\b(?:try|catch)\b\s*[({]"), "catches; the room builds without exceptions"),
    (re.compile(r"\bgetenv\s*\("), "reads the environment; take a parameter"),
    (re.compile(r"\bstd::(?:cout|cerr|clog|cin)\b"), "prints; return it as data"),
    (re.compile(r"\b(?:printf|fprintf|puts|fopen)\s*\("), "does I/O; return it as data"),
    (re.compile(r"\bthread_local\b"), "keeps thread state; pass it"),
]

# Time and randomness come in by parameter everywhere but in core/os, where the real clock is made.
CLOCK_AND_CHANCE = [
    (re.compile(r"_clock::now\s*\("), "reads a clock; take a Clock or the observation's time"),
    (re.compile(r"\bsleep_for\s*\(|\bthis_thread::sleep_until\s*\(|\b(?:u|nano)?sleep\s*\("), "sleeps; take a Clock"),
    (re.compile(r"(?<![\w.>])(?:std::)?s?rand\s*\("), "uses rand; take a RandomStream"),
    (re.compile(r"\brandom_device\b|\bmt19937\b"), "makes its own random numbers; take a RandomStream"),
]

# The failed check of a bug prints and aborts: the one line of output that a pure room has.
PRINTS_AND_ABORTS = "src/core/result.cpp"

MACHINE_PATH = re.compile(r'"(?:/(?:work|home|root|tmp|mnt|opt|usr)/|[^"\n]*\bshared/)')

CXX_STANDARD_HEADERS = set(
    """algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts condition_variable
    coroutine deque exception execution expected filesystem flat_map flat_set forward_list fstream functional future
    generator initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator semaphore
    set shared_mutex source_location span spanstream sstream stack stacktrace stdexcept stop_token streambuf string
    string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set
    utility valarray variant vector version cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp
    csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype""".split()
)


@dataclasses.dataclass
class Room:
    name: str
    folder: str  # below src
    line: int
    pure: bool = False
    uses: list = dataclasses.field(default_factory=list)
    libraries: list = dataclasses.field(default_factory=list)


class Checker:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.findings = []
        self.rooms = self.read_rooms()

    def find(self, path, line, text):
        if isinstance(path, pathlib.Path):
            path = path.relative_to(self.root).as_posix()
        self.findings.append(f"{path}:{line}: {text}")

    def sources(self, *folders):
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in SOURCE_SUFFIXES:
                    yield path

    # ---- the table ----

    def read_rooms(self):
        text = (self.root / "CMakeLists.txt").read_text()
        rooms = {}
        for match in re.finditer(r"^mpca_room\(([^)]*)\)", text, re.MULTILINE):
            name, *words = match[1].split()
            room = Room(name, name, text.count("\n", 0, match.start()) + 1)
            target = None
            for word in words:
                if word == "PURE":
                    room.pure = True
                elif word in ("DIR", "USES", "LIBS"):
                    target = word
                elif target == "DIR":
                    room.folder = word
                elif target == "USES":
                    room.uses.append(word)
                elif target == "LIBS":
                    room.libraries.append(word)
            rooms[name] = room
        return rooms

    def room_of(self, path_below_src):
        """The room with the longest folder that the path lies in, or None."""
        inside = [r for r in self.rooms.values() if path_below_src.startswith(r.folder + "/")]
        return max(inside, key=lambda r: len(r.folder), default=None)

    def check_table(self):
        finished = set()

        def visit(room, trail):
            if room.name in trail:
                circle = " -> ".join(trail[trail.index(room.name) :] + [room.name])
                self.find("CMakeLists.txt", room.line, f"rooms in a circle: {circle}")
                return
            if room.name in finished:
                return
            for used in room.uses:
                if used in self.rooms:
                    visit(self.rooms[used], trail + [room.name])
            finished.add(room.name)

        for room in self.rooms.values():
            for used in room.uses:
                if used not in self.rooms:
                    self.find("CMakeLists.txt", room.line, f"room {room.name} uses {used}, which is no room")
                elif room.pure and not self.rooms[used].pure:
                    self.find("CMakeLists.txt", room.line, f"pure room {room.name} uses {used}, which is not pure")
            if room.pure and room.libraries:
                self.find("CMakeLists.txt", room.line, f"pure room {room.name} links {' '.join(room.libraries)}")
            visit(room, [])
            files = [p for p in self.sources("src") if self.room_of(p.relative_to(self.root / "src").as_posix()) is room]
            if not files:
                self.find("CMakeLists.txt", room.line, f"room {room.name} is empty; add a room when it holds something")
            tests = self.root / "tests" / room.folder.split("/")[0]
            if files and not any(tests.rglob("*_test.cpp")):
                self.find("CMakeLists.txt", room.line, f"room {room.name} has no tests in {tests.relative_to(self.root)}")

    def check_documented_table(self):
        """docs/ARCHITECTURE.md has a table `room | what lives there | may include` that says the same."""
        document = "docs/ARCHITECTURE.md"
        path = self.root / document
        if not path.exists():
            self.find(document, 1, "missing; it shows the room table")
            return
        documented = {}
        in_table = False
        for number, line in enumerate(path.read_text().splitlines(), 1):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if not line.lstrip().startswith("|"):
                in_table = False
            elif cells[0].lower() == "room":
                in_table = True
            elif in_table and len(cells) >= 3 and not set(cells[0]) <= set("-: "):
                names = [n.replace("/", "_") for n in re.findall(r"`([a-z_/]+)`", cells[0])]
                words = {w.replace("/", "_") for w in re.findall(r"[a-z_]+(?:/[a-z_]+)?", cells[-1])}
                for name in names:
                    if name not in self.rooms:
                        if not name.startswith("apps"):
                            self.find(document, number, f"room {name} is not in CMakeLists.txt")
                        continue
                    documented[name] = True
                    want = set(self.rooms[name].uses) - {"core"}
                    have = (words & set(self.rooms)) - {"core"}
                    if want != have:
                        self.find(
                            document,
                            number,
                            f"room {name} may include {', '.join(sorted(have)) or 'core only'} here, "
                            f"{', '.join(sorted(want)) or 'core only'} in CMakeLists.txt",
                        )
        for room in self.rooms.values():
            if room.name not in documented:
                self.find(document, 1, f"room {room.name} of CMakeLists.txt:{room.line} is not in the table")

    # ---- the files ----

    def check_file(self, path):
        below = path.relative_to(self.root).as_posix()
        place = below.split("/")[0]  # src, apps, tests
        room = self.room_of(below.removeprefix("src/")) if place == "src" else None
        text = path.read_text()
        code = without_comments_and_texts(text)

        if place == "src" and room is None:
            self.find(path, 1, "belongs to no mpca_room() row of CMakeLists.txt")
            return
        if path.suffix == ".h":
            first = next((line for line in code.splitlines() if line.strip()), "")
            if first.strip() != "#pragma once":
                self.find(path, 1, "a header starts with #pragma once after its opening comment")

        for number, line in enumerate(text.splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if include:
                self.check_include(path, below, room, number, include[1] == '"', include[2])
            elif place != "tests" and MACHINE_PATH.search(line) and not line.lstrip().startswith("//"):
                self.find(path, number, "names a path of one machine; take it as a parameter")

        rules = []
        if not below.startswith("src/core/os/"):
            rules += CLOCK_AND_CHANCE
        if room and room.pure and below != PRINTS_AND_ABORTS:
            rules += IMPURE_CODE
        for number, line in enumerate(code.splitlines(), 1):
            for pattern, text_of_finding in rules:
                if pattern.search(line):
                    self.find(path, number, text_of_finding)

    def check_include(self, path, below, room, number, quoted, header):
        place = below.split("/")[0]
        if not quoted:
            self.check_system_include(path, below, room, number, header)
            return
        if header == "mpca_version.h":  # generated; which program it is, is for programs to say
            if place == "src":
                self.find(path, number, "only apps/ knows the version; take it as a parameter")
            return
        target = self.room_of(header)
        if target is None or not (self.root / "src" / header).exists():
            beside = {"apps": ["apps"], "tests": ["tests", "apps"]}.get(place, [])
            if not any((self.root / folder / header).exists() for folder in beside):
                self.find(path, number, f'"{header}" is no file below src; includes name the path from there')
            return
        own_tests = place == "tests" and below.startswith(f"tests/{target.folder}/")
        if "/internal/" in header and target is not room and not own_tests:
            self.find(path, number, f'"{header}" belongs to {target.name} alone')
        if room and target is not room and target.name not in room.uses:
            self.find(
                path,
                number,
                f'room {room.name} may not include {target.name} ("{header}"); it may: {" ".join(room.uses) or "none"}',
            )

        if header in SHOWS_A_LIBRARY:
            self.check_system_include(path, below, room, number, SHOWS_A_LIBRARY[header])

    def check_system_include(self, path, below, room, number, header):
        prefix = next((p for p in LIBRARY_OF_HEADER if header.startswith(p)), None)
        if prefix == "CLI/":
            if below != "apps/cli/program.cpp":
                self.find(path, number, "only apps/cli/program.cpp includes the command-line library")
            return
        if room is None:
            return
        if prefix:
            library = LIBRARY_OF_HEADER[prefix]
            if library not in room.libraries:
                self.find(path, number, f"room {room.name} does not link {library} (<{header}>)")
            elif SHOWS_A_LIBRARY.get(below.removeprefix("src/")) == header:
                pass
            elif path.suffix == ".h" and "/internal/" not in below:  # an internal header shows itself to its own room only
                self.find(path, number, f"<{header}> in a header shows {library} to other rooms; include it in a .cpp")
        elif room.pure and header not in CXX_STANDARD_HEADERS:
            self.find(path, number, f"pure room {room.name} includes <{header}>; the standard library only")
        elif room.pure and header in IMPURE_HEADERS and below != PRINTS_AND_ABORTS:
            self.find(path, number, f"pure room {room.name} includes <{header}>")

    def run(self):
        if not self.rooms:
            self.find("CMakeLists.txt", 1, "has no mpca_room() row")
            return self.findings
        self.check_table()
        self.check_documented_table()
        for path in self.sources("src", "apps", "tests"):
            self.check_file(path)
        return self.findings


def without_comments_and_texts(text):
    """The same lines with comments, string and character literals blanked, so that patterns see code only."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Za-z_])\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL,
    )
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2], help="the checkout")
    checker = Checker(parser.parse_args().root)
    findings = checker.run()
    for finding in findings:
        print(finding)
    print(f"{len(checker.rooms)} rooms, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

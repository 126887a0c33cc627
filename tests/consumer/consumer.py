#!/usr/bin/env python3
"""Others can build on an installation of Pipit, and on nothing else of it.

    consumer.py BUILD-FOLDER SOURCE-FOLDER

Installs with DESTDIR and moves a copy of what is there to a prefix of its own.
notes/, a service of another domain, is built on each with pkg-config, in a
folder of its own, and run. Exits with 77 (skip) for a build folder whose
pkg-config files cannot be moved.
"""

import contextlib
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "wire"), str(HERE.parent / "integration/cli")]

import hangup  # pylint: disable=wrong-import-position
import kit  # pylint: disable=wrong-import-position
from harness import Report, Server, equal, true  # pylint: disable=wrong-import-position

LINES_MAX = 150  # of C that is written by hand, for a service with its server and client
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
SKIP = 77


def run(*command, **keywords):
    """What @command prints; its failure tells all that it said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **keywords)
    true(done.returncode == 0, f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Place:
    """An installation, and how programs are built on it."""

    def __init__(self, prefix, sysroot=None):
        self.prefix = prefix
        self.libraries = next(prefix.glob("lib/**/pkgconfig")).parent
        self.headers = next(prefix.glob("include/pipit-*"))
        self.environment = {
            **os.environ,
            "PKG_CONFIG_PATH": str(self.libraries / "pkgconfig"),
            "LD_LIBRARY_PATH": str(self.libraries),
        }
        if sysroot:
            self.environment["PKG_CONFIG_SYSROOT_DIR"] = str(sysroot)

    def run(self, *command, **keywords):
        return run(*command, **{"env": self.environment, **keywords})

    def flags(self, *arguments):
        return self.run("pkg-config", *arguments).split()

    def generate(self, source, proto, out):
        self.run("protoc", f"--plugin=protoc-gen-pipit={self.flags('--variable=protoc_gen_pipit', 'libpipit')[0]}",
                 "-I", source, "-I", self.flags("--variable=protodir", "libpipit")[0], f"--pipit_out={out}", proto)


# --- what is installed ---------------------------------------------------------


def nothing_of_the_build(place):
    """Text names neither folder, and nothing is looked for in them at run time."""
    texts = [path for suffix in ("h", "pc", "proto") for path in place.prefix.rglob("*." + suffix)]
    true(len(texts) > 20, f"only {len(texts)} files of text")
    for path in texts:
        text = path.read_text(encoding="utf-8")
        true(str(BUILD) not in text and str(SOURCE) not in text, f"{path} names the build")
    for path in [*place.prefix.glob("bin/*"), *place.libraries.glob("*.so")]:
        true("PATH" not in run("readelf", "--dynamic", path), f"{path} has a run path")


def sonames(place):
    for path in place.libraries.glob("*.so"):
        dynamic = run("readelf", "--dynamic", path)
        soname = re.search(r"SONAME.*\[(.*)\]", dynamic)[1]
        equal(soname, path.name + "." + place.headers.name.removeprefix("pipit-"))
        true((place.libraries / soname).exists(), f"{soname} is not there")
        if path.name == "libpipit-users-v1.so":
            true("libpipit-server" not in dynamic, "the client of users.v1 needs the server's library")


def headers_alone(place, compiler, language, standard):
    headers = sorted(place.headers.rglob("*.h"))
    true(len(headers) > 20, f"only {len(headers)} headers")
    cflags = place.flags("--cflags", "libpipit-server")
    # One command, yet each file is a translation unit of its own.
    run(compiler, "-fsyntax-only", f"-std={standard}", *WARNINGS, *cflags, "-x", language, *headers)


def exported(library):
    """Symbol -> its version ('' for none)."""
    listed = run("nm", "--dynamic", "--defined-only", "--extern-only", library)
    names = [line.split()[-1] for line in listed.splitlines()]
    return {name.partition("@")[0]: name.rpartition("@")[2] if "@" in name else ""
            for name in names if not name.startswith("PIPIT_")}


def exports(place):
    """Each library exports what the headers declare: all of it, once, and nothing else."""
    comment = re.compile(r"/\*.*?\*/", re.S)
    texts = {path: comment.sub("", path.read_text(encoding="utf-8")) for path in place.headers.rglob("*.h")}
    words = {word for text in texts.values() for word in re.findall(r"\w+", text)}
    wanted = set()
    for path, text in texts.items():
        for declaration in re.findall(r"^PIPIT_PUBLIC\b[^;{]*;", text, re.M):
            wanted.add(re.findall(r"(\w+)\s*[(;]", declaration.replace("PIPIT_PUBLIC", ""))[0])
        wanted |= set(re.findall(r"^extern const (?:struct )?\w+\s+(\w+);", text, re.M))
    true("pipit_channel_call" in wanted and "google__rpc__status__descriptor" in wanted, "the headers are not understood")

    found = {}
    for library in sorted(place.libraries.glob("*.so")):
        for name, version in exported(library).items():
            true(name not in found, f"{name} is in {found.get(name)} and in {library.name}")
            found[name] = library.name
            if version.startswith("PIPIT_PRIVATE_"):
                true(name not in words, f"{name} is private and in a header")
            else:
                true(name in words, f"{library.name} exports {name}, which no header declares")
                true(version.startswith("PIPIT_"), f"{name} has no version")
    equal(sorted(wanted - set(found)), [], "declared, and exported by no library")


def archives(place):
    """A static library meets no name of the program's."""
    for path in place.libraries.glob("*.a"):
        names = {line.split()[-1] for line in run("nm", "--defined-only", "--extern-only", path).splitlines()
                 if len(line.split()) == 3}
        stray = [name for name in names if not re.match(r"(pipit|google|grpc|users)_", name)]
        equal(sorted(stray), [], f"{path.name} defines")


# --- what is built on it ---------------------------------------------------------


def build(place, folder, system, compiler):
    """Builds notes/ from a copy, runs its tests, and returns the folder of its programs."""
    source, out = folder / "source", folder / "build"
    shutil.copytree(HERE / "notes", source)
    environment = {**place.environment, "CC": compiler}
    if system == "meson":
        run("meson", "setup", out, source, env=environment)
        run("meson", "test", "-C", out, env=environment)
    else:
        run("cmake", "-G", "Ninja", "-S", source, "-B", out, env=environment)
        run("ninja", "-C", out, env=environment)
        run("ctest", "--output-on-failure", cwd=out, env=environment)
    needed = run("ninja", "-C", out, "-t", "deps", env=environment) + (out / "build.ninja").read_text(encoding="utf-8")
    true("client.h" in needed, "the dependencies are not told")
    for name in (BUILD, SOURCE):
        true(f"{name}/" not in needed, f"the build of notes uses {name}")
    return out


def small():
    lines = [line for path in (HERE / "notes").glob("*.[ch]") for line in path.read_text(encoding="utf-8").splitlines()]
    true(0 < sum(1 for line in lines if line.strip()) < LINES_MAX, f"{len(lines)} lines of C")


def linked_statically(place, folder):
    """The same two programs, without our shared libraries."""
    source = HERE / "notes"
    folder.mkdir()
    place.generate(source, "notes/v1/notes.proto", folder)
    generated = [folder / f"notes/v1/notes.{part}.c" for part in ("pb-c", "pipit", "client.pipit", "server.pipit")]
    for name, library in (("server", "libpipit-server"), ("client", "libpipit")):
        words = place.flags("--static", "--cflags", "--libs", library)
        words = [f"-l:lib{word[2:]}.a" if word.startswith("-lpipit") else word for word in words]
        run("gcc", "-std=gnu11", *WARNINGS, "-I", folder, source / f"{name}.c", *generated[:2],
            generated[3] if name == "server" else generated[2], "-o", folder / name, *words)
        true("libpipit" not in run("readelf", "--dynamic", folder / name), f"{name} needs a shared library of ours")
    run(source / "test.sh", folder / "server", folder / "client")


def shown(language):
    """The first block of @language in HACKING.md's walk-through."""
    text = (SOURCE / "HACKING.md").read_text(encoding="utf-8").partition("## Make a service of your own")[2]
    block = re.search(rf"^   ```{language}\n(.*?)^   ```$", text, re.M | re.S)[1]
    return re.sub("^   ", "", block, flags=re.M)


def walk_through(place, folder):
    """The commands of HACKING.md, in a project of their own, print what it shows."""
    shutil.copytree(HERE / "notes", folder)
    place.run("sh", "-euc", shown("sh"), cwd=folder)
    console = shown("console").replace("/tmp/notes.sock", f"{folder}/s")
    parts = re.split(r"^\$ (.*)\n", console, flags=re.M)[1:]
    true(len(parts) >= 8, "there are few commands")
    environment = {**place.environment, "PATH": f"{place.prefix}/bin:{os.environ['PATH']}"}
    servers = []
    try:
        for command, wanted in zip(parts[::2], parts[1::2]):
            if command.endswith(" &"):
                servers.append(subprocess.Popen(["sh", "-c", "exec " + command[:-2]], cwd=folder, env=environment,
                                                stdout=subprocess.PIPE, text=True))
                equal(servers[-1].stdout.readline(), wanted, command)
            else:
                equal(run("sh", "-c", command, cwd=folder, env=environment), wanted, command)
    finally:
        for server in servers:
            server.terminate()
            server.wait()
            server.stdout.close()


def imports(place, folder):
    """A .proto that imports ours, the client library of users.v1, and what tests need."""
    folder.mkdir()
    (folder / "team.proto").write_text(
        'syntax = "proto3"; package team.v1;\n'
        'import "google/rpc/status.proto"; import "users/v1/users.proto";\n'
        "message Team { repeated users.v1.User users = 1; google.rpc.Status last = 2; }\n", encoding="utf-8")
    place.generate(folder, "team.proto", folder)
    (folder / "team.c").write_text(
        '#include "team.pb-c.h"\nint main(void) { return (int)team__v1__team__descriptor.n_fields - 2; }\n',
        encoding="utf-8")
    (folder / "clock.c").write_text(
        "#include <pipit/test_clock.h>\nint main(void)\n{\n        struct pipit_test_clock clock;\n\n"
        "        pipit_test_clock_init(&clock, 5);\n        pipit_test_clock_advance(&clock, 2);\n"
        "        return (int)clock.clock.wall_us(clock.clock.context) - 7;\n}\n", encoding="utf-8")
    run("g++", "-fsyntax-only", *WARNINGS, *place.flags("--cflags", "pipit-users-v1"), "-x", "c++", folder / "team.pb-c.h")
    for name, library, sources in (("team", "pipit-users-v1", [folder / "team.c", folder / "team.pb-c.c"]),
                                   ("clock", "libpipit-test", [folder / "clock.c"]),
                                   ("create_user", "pipit-users-v1", [HERE.parent / "readme/create_user.c"])):
        if (place.libraries / f"pkgconfig/{library}.pc").exists():
            run("gcc", *WARNINGS, "-I", folder, *sources, "-o", folder / name,
                *place.flags("--cflags", "--libs", library))
            if name != "create_user":
                place.run(folder / name)
    with Server([place.prefix / "bin/usersd", "serve", "--store", "memory:"]) as server:
        true(place.run(folder / "create_user", server.url).startswith("grace@example.com is "), "no user was created")


# --- what runs --------------------------------------------------------------------


@contextlib.contextmanager
def serving(place, out):
    """The notes server, as tests/wire starts servers: with --listen URL."""
    before = dict(os.environ)
    os.environ.update({"LD_LIBRARY_PATH": str(place.libraries)})
    try:
        server = Server(["sh", "-c", 'exec "$0" "$2"', str(out / "notes-server")])
    finally:
        os.environ.clear()
        os.environ.update(before)
    with server:
        yield server


def strangers(place, out):
    with serving(place, out) as server:
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as stranger:
                stranger.connect(server.url.removeprefix("ipc://"))
        hangup.hang_up(server, 30, functools.partial(hangup.burst, large=False))
        equal(server.stop(), 0)


GET = ["call", "URL", "notes.v1.NotesService/GetNote"]

# What pipit is told, what it says in its one line (what, where, what would be right), and its exit code (docs/cli.md).
WRONG = {
    "a host": (["list", "ipc:///nowhere/s"], ["ipc:///nowhere/s", "No such file or directory"], 64 + 14),
    "a host beside a socket that is there": (["list", "URLs"], ["URLs", "did you mean URL?"], 64 + 14),
    "a scheme": (["list", "http://localhost"], ["http://localhost: ", "is neither ipc nor tcp"], 2),
    "a service": (["list", "URL", "notes.v1.NoteService"],
                  ["no service 'notes.v1.NoteService'", "did you mean notes.v1.NotesService?"], 2),
    "a type": (["describe", "URL", "notes.v1.Notes"], ["no 'notes.v1.Notes'", "did you mean notes.v1.Note?"], 2),
    "a method": (["call", "URL", "notes.v1.NotesService/GetNot", "{}"],
                 ["no method 'notes.v1.NotesService/GetNot'", "did you mean notes.v1.NotesService/GetNote?"], 2),
    "a field": ([*GET, '{"ide": 1}'], ["request:1:9: ide: ", "has no such field", 'did you mean "id"?'], 2),
    "a value's type": ([*GET, '{\n  "id": true}'], ["request:2:9: id: ", "true is not a number (uint64)"], 2),
    "a number out of range": ([*GET, '{"id": 18446744073709551616}'],
                              ["request:1:8: id: ", "18446744073709551616 is out of range", "0 to 18446744073709551615"], 2),
    "a fraction": ([*GET, '{"id": 1.5}'], ["request:1:8: id: ", "1.5 is not a whole number (uint64)"], 2),
    "broken JSON": ([*GET, '{"id": 1,\n,}'], ["request:2:1: ", "expected a name in double quotes, found ','"], 2),
    "a flag": ([*GET, "--timout", "1s"], ["--timout", "did you mean --timeout?"], 2),
}


def wrong_inputs(place, out, way):
    """One line each on standard error, in a pipe and on a terminal; nothing on standard output."""
    kit.PROGRAM[:] = [str(place.prefix / "bin/pipit")]
    with serving(place, out) as server:
        for what, (words, parts, code) in WRONG.items():
            words, parts = ([part.replace("URL", server.url) for part in some] for some in (words, parts))
            done = way(*words)
            equal((done.status, done.out, done.err.count("\n")), (code, "", 1), f"{what}: {done.err}")
            for part in parts:
                true(part in done.err, f"{what}: {done.err!r} does not hold {part!r}")


def main():
    report = Report()
    work = pathlib.Path(tempfile.mkdtemp(prefix="pipit-consumer-"))
    try:
        sysroot = work / "sysroot"
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", sysroot, "--quiet")
        (sysroot / "usr/include").mkdir(parents=True, exist_ok=True)  # where a sysroot has those of others
        installed = next(sysroot.rglob("libpipit.pc"))
        if "pcfiledir" not in installed.read_text(encoding="utf-8"):
            print("the pkg-config files hold a fixed prefix: meson configure -Dpkgconfig.relocatable=true")
            sys.exit(SKIP)
        staged = Place(next(parent.parent for parent in installed.parents if parent.name == "lib"), sysroot)
        shutil.copytree(staged.prefix, work / "opt/pipit", symlinks=True)
        place = Place(work / "opt/pipit")

        report.run("what is installed names nothing of the build", nothing_of_the_build, place)
        report.run("each library has its soname", sonames, place)
        for compiler, language, standard in (("gcc", "c", "c11"), ("clang", "c", "c11"),
                                             ("g++", "c++", "c++17"), ("clang++", "c++", "c++17")):
            report.run(f"every header compiles alone ({compiler}, {standard})", headers_alone,
                       place, compiler, language, standard)
        report.run("the libraries export what the headers declare, and nothing else", exports, place)
        report.run("the static libraries define no names but ours", archives, place)

        report.run(f"notes is a service in under {LINES_MAX} lines of C", small)
        for where, name, system, compiler in ((place, "a prefix", "meson", "gcc"), (place, "a prefix", "cmake", "clang"),
                                              (staged, "DESTDIR", "cmake", "gcc")):
            report.run(f"notes builds on {name} with {system} and {compiler}, and works",
                       build, where, work / f"{system}-{compiler}", system, compiler)
        report.run("notes links statically, and works", linked_statically, place, work / "static")
        report.run("HACKING.md's walk-through makes the service, and pipit learns it from its server",
                   walk_through, place, work / "walk")
        report.run("a .proto may import ours; users.v1 has a client library, and tests have theirs", imports, place, work / "imports")

        out = work / "meson-gcc/build"
        for where, way in (("in a pipe", kit.pipit), ("on a terminal", kit.on_terminal)):
            report.run(f"what pipit is told wrong of the notes server it says in a line, {where}", wrong_inputs,
                       place, out, way)
        report.run("strangers and peers that hang up cost a notes server nothing", strangers, place, out)
    finally:
        shutil.rmtree(work)
    report.exit()


main()

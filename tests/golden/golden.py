#!/usr/bin/env python3
"""What protoc-gen-pipit writes, against what it should write.

Each folder of cases/ is a case:

  in/       the .proto files; code is asked for all of them
  import/   more of them, that are only imported (may be absent)
  options   what --pipit_opt gets (may be absent)
  out/      the .pipit.[ch] files that come of it, byte for byte
  twin/     .proto files of the same names, as protoc-c can take them: messages
            must come out as protoc-c alone makes them of these (may be absent).
            So nothing here depends on the version of protoc-c.
  main.c    a program that uses what comes of it, and exits with 0 (may be absent)
  error     instead of out/: what protoc prints, line for line

To accept what the generator writes now, look at it in git afterwards:

  tests/golden/golden.py --build BUILD --update outputs errors
"""

import argparse
import difflib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CASES = pathlib.Path(__file__).resolve().parent / "cases"
ROOT = CASES.parent.parent.parent

# What protoc-c writes has casts that only -Wcast-qual minds.
MESSAGE_FLAGS = """-std=c11 -O1 -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wpointer-arith -Wundef -Wformat=2 -Wwrite-strings
    -Wcast-function-type""".split()
C_FLAGS = [*MESSAGE_FLAGS, "-Wcast-qual"]
# Not -Wshadow: where a service has the name of its method, g++ says that the function hides the constructor of
# the struct. It does, and nobody calls that.
CXX_FLAGS = "-fsyntax-only -x c++ -Wall -Wextra -Wpedantic -Werror -Wconversion".split()
CXX_STANDARDS = ["c++11", "c++17", "c++20"]


class Tools:
    def __init__(self, arguments):
        self.protoc = arguments.protoc
        self.plugin = arguments.plugin or f"{arguments.build}/gen/protoc-gen-pipit"
        self.protoc_gen_c = arguments.protoc_gen_c
        self.proto_include = arguments.proto_include
        self.generated = f"{arguments.build}/proto"
        self.sanitize = arguments.sanitize

    def sanitizers(self):
        """As the library was built that a program is linked with."""
        return [] if self.sanitize == "none" else [f"-fsanitize={self.sanitize}"]


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.name = folder.name
        self.expects_error = folder.name.startswith("error_")

    def protos(self):
        return sorted(str(p.relative_to(self.folder / "in")) for p in (self.folder / "in").rglob("*.proto"))

    def options(self, tools):
        file = self.folder / "options"
        given = file.read_text().strip() if file.exists() else ""
        if "protoc_gen_c=" not in given:
            given += f"{',' if given else ''}protoc_gen_c={tools.protoc_gen_c}"
        return given

    def run(self, tools, out, environment=None):
        """protoc's exit code and what it printed; the files are in @out."""
        command = [tools.protoc, f"--plugin=protoc-gen-pipit={tools.plugin}",
                   f"--pipit_opt={self.options(tools)}", f"--pipit_out={out}",
                   f"-I{self.folder / 'in'}"]
        if (self.folder / "import").exists():
            command.append(f"-I{self.folder / 'import'}")
        command += [f"-I{tools.proto_include}", *self.protos()]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LC_ALL": "C", **(environment or {})})
        return done.returncode, done.stderr


def cases(expects_error):
    found = [Case(f) for f in sorted(CASES.iterdir()) if f.is_dir()]
    return [c for c in found if c.expects_error == expects_error]


def files_below(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def difference(name, expected, actual):
    lines = difflib.unified_diff(expected.decode().splitlines(), actual.decode().splitlines(),
                                 f"expected {name}", f"actual {name}", lineterm="")
    return "\n".join(lines)


def compare(expected, actual):
    """What differs between two {name: bytes}, as text; empty: nothing."""
    problems = [f"not written: {n}" for n in sorted(expected.keys() - actual.keys())]
    problems += [f"not expected: {n}" for n in sorted(actual.keys() - expected.keys())]
    problems += [difference(n, expected[n], actual[n]) for n in sorted(expected.keys() & actual.keys())
                 if expected[n] != actual[n]]
    return "\n".join(problems)


def generate(case, tools, out, environment=None):
    code, printed = case.run(tools, out, environment)
    if code != 0:
        raise AssertionError(f"protoc exited with {code}:\n{printed}")
    return files_below(pathlib.Path(out))


def without_warnings(printed):
    """protoc's own, which change with its version."""
    lines = [l for l in printed.splitlines(keepends=True) if " warning: " not in l and "WARNING" not in l]
    return "".join(lines)


def is_pipit(name):
    return name.endswith((".pipit.c", ".pipit.h"))


# --- the tests: each gives (name, what is wrong or "") ---------------------------------------------------


def check_outputs(tools, update):
    """The .pipit.[ch] files are those of out/."""
    for case in cases(expects_error=False):
        with tempfile.TemporaryDirectory() as out:
            actual = {n: b for n, b in generate(case, tools, out).items() if is_pipit(n)}
        if update:
            shutil.rmtree(case.folder / "out", ignore_errors=True)
            for name, content in actual.items():
                file = case.folder / "out" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        yield case.name, compare(files_below(case.folder / "out"), actual)


def check_errors(tools, update):
    """protoc fails, prints exactly what is in `error`, and leaves no file."""
    for case in cases(expects_error=True):
        with tempfile.TemporaryDirectory() as out:
            code, printed = case.run(tools, out)
            printed = without_warnings(printed)
            left = files_below(pathlib.Path(out))
        if update:
            (case.folder / "error").write_text(printed)
        problem = compare({"stderr": (case.folder / "error").read_bytes()}, {"stderr": printed.encode()})
        if code == 0:
            problem += "\nprotoc exited with 0"
        if left:
            problem += f"\nfiles were written: {sorted(left)}"
        yield case.name, problem


def check_messages(tools, _update):
    """The .pb-c.[ch] files are what protoc-c makes of the twin."""
    for case in cases(expects_error=False):
        twin = case.folder / "twin"
        if not twin.exists():
            continue
        with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as twin_out:
            actual = {n: b for n, b in generate(case, tools, out).items() if not is_pipit(n)}
            subprocess.run([tools.protoc, f"--plugin=protoc-gen-c={tools.protoc_gen_c}",
                            f"--c_out={twin_out}", f"-I{twin}", f"-I{tools.proto_include}",
                            *case.protos()], check=True, stderr=subprocess.DEVNULL)
            # but for a pair of braces that the compilers' warnings want
            actual = {n: b.replace(b", {{0}}", b", {0}") for n, b in actual.items()}
            yield case.name, compare(files_below(pathlib.Path(twin_out)), actual)


def check_reproducible(tools, _update):
    """Elsewhere, in another locale and another time zone, the bytes are the same."""
    other = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "HOME": "/nonexistent"}
    for case in cases(expects_error=False):
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            yield case.name, compare(generate(case, tools, first), generate(case, tools, second, other))


def include_flags(tools, out):
    ours = ["client", "server/runtime", "core/rpc", "core/base"]
    return [f"-I{out}", f"-I{tools.generated}", *[f"-I{ROOT / folder}" for folder in ours]]


def run_compiler(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "" if done.returncode == 0 else f"{' '.join(map(str, command))}\n{done.stdout}"


def compile_all(tools, out, names):
    """The .c files with every C compiler, each header alone with every C++ compiler."""
    flags = include_flags(tools, out)
    problem = ""
    for compiler in filter(shutil.which, ["gcc", "clang"]):
        for name in names:
            mine = C_FLAGS if is_pipit(name) else MESSAGE_FLAGS
            if name.endswith(".c"):
                problem += run_compiler([compiler, *mine, *flags, "-c", f"{out}/{name}", "-o", "/dev/null"])
    for compiler in filter(shutil.which, ["g++", "clang++"]):
        for standard in CXX_STANDARDS:
            for name in names:
                if name.endswith(".h"):
                    problem += run_compiler([compiler, *CXX_FLAGS, f"-std={standard}", *flags, f"{out}/{name}"])
    return problem


def check_compiles(tools, _update):
    """All that is written compiles without a warning, and the headers as C++ too."""
    for case in cases(expects_error=False):
        with tempfile.TemporaryDirectory() as out:
            names = sorted(generate(case, tools, out))
            yield case.name, compile_all(tools, out, names)


def check_runs(tools, _update):
    """The programs of the cases that have one, with their messages and tables and our library's."""
    for case in cases(expects_error=False):
        main = case.folder / "main.c"
        if not main.exists():
            continue
        with tempfile.TemporaryDirectory() as out:
            names = sorted(generate(case, tools, out))
            sources = [f"{out}/{n}" for n in names if n.endswith(".c") and not n.endswith((".client.pipit.c", ".server.pipit.c"))]
            program = f"{out}/main"
            problem = run_compiler(["gcc", "-std=c11", *tools.sanitizers(), *include_flags(tools, out), str(main), *sources,
                                    "-o", program, f"{tools.generated}/libpipit-proto.a", "-lprotobuf-c"])
            yield case.name, problem or run_compiler([program])


def check_arguments(tools, _update):
    """The program by itself."""
    def run(*arguments, stdin=b""):
        return subprocess.run([tools.plugin, *arguments], input=stdin, capture_output=True)

    garbage = run(stdin=b"\xff\xff\xff")
    yield "garbage_on_stdin_is_an_error", "" if garbage.returncode == 1 and b"CodeGeneratorRequest" in garbage.stderr \
        and not garbage.stdout else repr(garbage)
    unknown = run("--frobnicate")
    yield "an_unknown_argument_shows_the_help", "" if unknown.returncode == 2 and b"--pipit_out" in unknown.stderr \
        and not unknown.stdout else repr(unknown)
    for flag in ["--help", "--version"]:
        shown = run(flag)
        yield f"{flag}_goes_to_stdout", "" if shown.returncode == 0 and b"protoc-gen-pipit" in shown.stdout \
            and not shown.stderr else repr(shown)


TESTS = {
    "outputs": check_outputs,
    "errors": check_errors,
    "messages": check_messages,
    "reproducible": check_reproducible,
    "compiles": check_compiles,
    "runs": check_runs,
    "arguments": check_arguments,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", choices=[*TESTS, []], help="which; all without it")
    parser.add_argument("--update", action="store_true", help="write out/ and error anew")
    parser.add_argument("--build", required=True, help="the build folder")
    parser.add_argument("--plugin", help="protoc-gen-pipit; that of the build folder without it")
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--protoc-gen-c", default=shutil.which("protoc-gen-c"))
    parser.add_argument("--sanitize", default="none", help="the build's b_sanitize")
    parser.add_argument("--proto-include", default="/usr/include", help="where google/protobuf is")
    arguments = parser.parse_args()
    tools = Tools(arguments)

    n_failed = 0
    for test in arguments.tests or TESTS:
        n_run = 0
        for name, problem in TESTS[test](tools, arguments.update):
            n_run += 1
            n_failed += 1 if problem else 0
            print(f"{'FAILED' if problem else 'ok'} {test} {name}")
            if problem:
                print(problem)
        if n_run == 0:
            sys.exit(f"{test}: no cases")
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())

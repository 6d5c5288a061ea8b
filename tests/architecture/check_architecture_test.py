#!/usr/bin/env python3
"""Every rule of check_architecture.py finds its violation in a small tree that is otherwise right."""

import pathlib
import tempfile
import unittest

import check_architecture

CMAKE = """\
mpca_room(core PURE)
mpca_room(core_os DIR core/os USES core LIBS Threads::Threads)
mpca_room(trace PURE USES core)
mpca_room(policy PURE USES core)
mpca_room(config USES core core_os trace LIBS yaml-cpp)
"""

DOCUMENT = """\
# Architecture

| room | what lives there | may include |
|---|---|---|
| `core` | results | standard library |
| `core/os` | files | core |
| `trace` | demand | |
| [`policy`](../src/policy) | decisions | |
| `config` | YAML | core/os, trace |
"""

HEADER = "// What it is.\n#pragma once\n\n"

GOOD_TREE = {
    "CMakeLists.txt": CMAKE,
    "docs/ARCHITECTURE.md": DOCUMENT,
    "src/core/result.h": HEADER + "#include <expected>\n",
    "src/core/os/clock.cpp": "#include <chrono>\nauto now() { return std::chrono::steady_clock::now(); }\n",
    "src/trace/trace.h": HEADER + '#include "core/result.h"\n',
    "src/trace/internal/parse.h": HEADER,
    "src/trace/trace.cpp": '#include "trace/trace.h"\n#include "trace/internal/parse.h"\n'
    '// may throw or rand() in words\nconst char* kText = "throw /work";\nint kMillion = 1\'000\'000;\n',
    "src/policy/policy.h": HEADER + '#include "core/result.h"\n',
    "src/config/yaml.cpp": '#include <yaml-cpp/yaml.h>\n#include "trace/trace.h"\n',
    "apps/cli/program.cpp": "#include <CLI/CLI.hpp>\n",
    "apps/mpc-autoscaler/version.cpp": '#include "mpca_version.h"\n',
    "apps/cli/command.h": HEADER,
    "tests/apps/command_test.cpp": '#include "cli/command.h"\n',
    "tests/core/result_test.cpp": "",
    "tests/trace/parse_test.cpp": '#include "trace/internal/parse.h"\n#include "support/fake.h"\n',
    "tests/policy/policy_test.cpp": "",
    "tests/config/yaml_test.cpp": "",
    "tests/support/fake.h": HEADER,
}


def findings_in(changes):
    """The findings in the good tree after `changes` (path to text; None removes)."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**GOOD_TREE, **changes}.items():
            if text is not None:
                place = pathlib.Path(folder, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
        return check_architecture.Checker(folder).run()


class CheckArchitecture(unittest.TestCase):
    def assert_found(self, changes, *expected):
        """Exactly these findings, each given by how it starts."""
        findings = findings_in(changes)
        self.assertEqual(len(findings), len(expected), findings)
        for finding, start in zip(sorted(findings), sorted(expected)):
            self.assertTrue(finding.startswith(start), f"{finding!r} does not start with {start!r}")

    def test_a_tree_that_keeps_the_rules_has_no_finding(self):
        self.assert_found({})

    def test_an_include_outside_the_row_names_file_and_line(self):
        self.assert_found(
            {"src/policy/policy.cpp": '#include "policy/policy.h"\n\n#include "trace/trace.h"\n'},
            'src/policy/policy.cpp:3: room policy may not include trace ("trace/trace.h"); it may: core',
        )

    def test_core_does_not_reach_into_its_own_os_room(self):
        self.assert_found(
            {"src/core/os/file.h": HEADER, "src/core/result.cpp": '#include "core/os/file.h"\n'},
            "src/core/result.cpp:1: room core may not include core_os",
        )

    def test_internal_headers_stay_inside_their_room(self):
        include = '#include "trace/internal/parse.h"\n'
        self.assert_found({"src/config/yaml.cpp": include}, "src/config/yaml.cpp:1: \"trace/internal/parse.h\" belongs to trace")
        self.assert_found({"tests/config/yaml_test.cpp": include}, "tests/config/yaml_test.cpp:1: ")
        self.assert_found({"apps/mpc-autoscaler/cmd.cpp": include}, "apps/mpc-autoscaler/cmd.cpp:1: ")

    def test_an_include_is_named_from_src(self):
        self.assert_found({"src/trace/trace.cpp": '#include "trace.h"\n'}, 'src/trace/trace.cpp:1: "trace.h" is no file')

    def test_a_folder_without_a_row_is_found(self):
        self.assert_found({"src/plant/lag.cpp": ""}, "src/plant/lag.cpp:1: belongs to no mpca_room() row")

    def test_an_empty_room_is_found(self):
        self.assert_found(
            {"src/policy/policy.h": None, "tests/policy/policy_test.cpp": None},
            "CMakeLists.txt:4: room policy is empty",
        )

    def test_a_room_without_tests_is_found(self):
        self.assert_found({"tests/policy/policy_test.cpp": None}, "CMakeLists.txt:4: room policy has no tests")

    def test_rooms_do_not_use_each_other_in_a_circle(self):
        row = "mpca_room(core PURE)"
        self.assert_found(
            {
                "CMakeLists.txt": CMAKE.replace(row, "mpca_room(core PURE USES policy)"),
                "docs/ARCHITECTURE.md": DOCUMENT.replace("standard library", "policy"),
            },
            "CMakeLists.txt:1: rooms in a circle: core -> policy -> core",
        )

    def test_a_pure_room_links_no_library_and_no_impure_room(self):
        self.assert_found(
            {"CMakeLists.txt": CMAKE.replace("mpca_room(policy PURE USES core)", "mpca_room(policy PURE USES core core_os LIBS yaml-cpp)")},
            "CMakeLists.txt:4: pure room policy links yaml-cpp",
            "CMakeLists.txt:4: pure room policy uses core_os",
            "docs/ARCHITECTURE.md:8: room policy may include core only here, core_os in CMakeLists.txt",
        )

    def test_the_documented_table_says_what_cmake_says(self):
        self.assert_found(
            {"docs/ARCHITECTURE.md": DOCUMENT.replace("core/os, trace |", "core/os |").replace("| `trace` | demand | |\n", "| `plant` | lag | |\n")},
            "docs/ARCHITECTURE.md:1: room trace of CMakeLists.txt:3 is not in the table",
            "docs/ARCHITECTURE.md:7: room plant is not in CMakeLists.txt",
            "docs/ARCHITECTURE.md:9: room config may include core_os here, core_os, trace in CMakeLists.txt",
        )
        self.assert_found({"docs/ARCHITECTURE.md": None}, "docs/ARCHITECTURE.md:1: missing")

    def test_pure_rooms_neither_throw_nor_print_nor_include_what_does(self):
        for line in (
            "void f() { throw 1; }",
            "void f() { try { } catch (...) { } }",
            'void f() { std::cout << "x"; }',
            'void f() { std::printf("x"); }',
            'auto f() { return getenv("HOME"); }',
            "thread_local int n;",
            "#include <fstream>",
            "#include <thread>",
            "#include <unistd.h>",
            "#include <yaml-cpp/yaml.h>",
        ):
            with self.subTest(line):
                findings = findings_in({"src/policy/policy.cpp": f"\n{line}\n"})
                self.assertTrue(findings and all(f.startswith("src/policy/policy.cpp:2: ") for f in findings), findings)

    def test_clocks_sleep_and_chance_come_in_by_parameter_in_every_room(self):
        for line in (
            "auto f() { return std::chrono::system_clock::now(); }",
            "void f() { std::this_thread::sleep_for(1s); }",
            "void f() { std::this_thread::sleep_until(t); }",
            "int f() { return std::rand(); }",
            "int f() { return rand() % 6; }",
            "std::mt19937 g{std::random_device{}()};",
        ):
            for path in ("src/config/more.cpp", "apps/mpc-autoscaler/cmd.cpp", "tests/config/more_test.cpp"):
                with self.subTest(line, path=path):
                    self.assert_found({path: line + "\n"}, f"{path}:1: ")

    def test_a_virtual_clock_may_be_slept_on_and_operands_are_not_rand(self):
        self.assert_found({"src/config/more.cpp": "void f(Clock& c) { c.sleep_until(t); operand(3); x.rand(); }\n"})

    def test_libraries_stay_in_the_cpp_files_of_rooms_that_link_them(self):
        self.assert_found({"src/config/yaml.h": HEADER + "#include <yaml-cpp/yaml.h>\n"}, "src/config/yaml.h:4: <yaml-cpp/yaml.h> in a header")
        self.assert_found({"src/config/internal/yaml.h": HEADER + "#include <yaml-cpp/yaml.h>\n"})
        self.assert_found(
            {"src/config/json.cpp": "#include <nlohmann/json.hpp>\n"},
            "src/config/json.cpp:1: room config does not link nlohmann_json::nlohmann_json",
        )

    def test_the_header_that_shows_json_is_included_as_json_is(self):
        json, include = "nlohmann_json::nlohmann_json", '#include "net/json.h"\n'
        row = "mpca_room(config USES core core_os trace LIBS yaml-cpp)"
        tree = {
            "CMakeLists.txt": CMAKE.replace(row, f"mpca_room(net USES core LIBS {json})\n{row[:-1]} {json})").replace("trace LIBS", "trace net LIBS"),
            "docs/ARCHITECTURE.md": DOCUMENT.replace("core/os, trace |", "core/os, trace, net |") + "| `net` | HTTP | |\n",
            "src/net/json.h": HEADER + "#include <nlohmann/json.hpp>\n",
            "tests/net/json_test.cpp": include,
            "src/config/json.cpp": include,
        }
        self.assert_found(tree)
        self.assert_found({**tree, "src/config/internal/json.h": HEADER + include})
        self.assert_found({**tree, "src/config/json.h": HEADER + include}, "src/config/json.h:4: <nlohmann/json.hpp> in a header")
        self.assert_found({**tree, "src/net/more.h": HEADER + "#include <nlohmann/json.hpp>\n"}, "src/net/more.h:4: <nlohmann/json.hpp> in")
        self.assert_found({**tree, "src/net/json.h": HEADER + "#include <yaml-cpp/yaml.h>\n"}, "src/net/json.h:4: room net does not link")
        tree["CMakeLists.txt"] = tree["CMakeLists.txt"].replace(f"yaml-cpp {json}", "yaml-cpp")
        self.assert_found(tree, f"src/config/json.cpp:1: room config does not link {json}")

    def test_only_main_knows_the_command_line_library_and_only_apps_the_version(self):
        self.assert_found({"apps/mpc-autoscaler/cmd.cpp": "#include <CLI/CLI.hpp>\n"}, "apps/mpc-autoscaler/cmd.cpp:1: only ")
        self.assert_found({"src/config/yaml.cpp": '#include "mpca_version.h"\n'}, "src/config/yaml.cpp:1: only apps/ knows")

    def test_a_header_starts_with_pragma_once(self):
        self.assert_found({"src/policy/policy.h": "// Words.\nstruct A;\n#pragma once\n"}, "src/policy/policy.h:1: a header starts")

    def test_paths_of_one_machine_are_found(self):
        for text in ('"/work/traces"', '"../shared/traces"', '"/home/me/x"'):
            with self.subTest(text):
                self.assert_found({"src/config/more.cpp": f"auto p = {text};\n"}, "src/config/more.cpp:1: names a path")


if __name__ == "__main__":
    unittest.main()

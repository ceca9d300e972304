#!/usr/bin/env python3
"""Checks a proof for every n, without a solver and without any code of milp.

    scripts/check_every_n.py DIR      (or PROGRAM.json CERTIFICATE.csv)

What is proved: for all integers n, f, b of a program's region there are no integers for its columns
(binaries and units 0 or 1, counts at least 0 and at most their bounds) that satisfy all rows and
give the goal's binaries a sum of `at_least`. docs/CERTIFICATES.md says what each name means.
"""
import csv
import hashlib
import json
import os
import re
import sys

PARAMETERS = ("1", "n", "f", "b")


class Wrong(Exception):
    """The certificate proves nothing."""


def need(holds, why):
    if not holds:
        raise Wrong(why)


def add(form, part, coefficient):
    form[part] = form.get(part, 0) + coefficient


class Program:
    """Inequalities `sum <= 0` over parts that are all at least 0: parameters, counts, units, and
    binaries times parameters."""

    def __init__(self, said, at_least):
        self.columns, self.rows, self.region = said["columns"], said["rows"], said["region"]
        self.binaries, self.units = set(said["binaries"]), set(said["units"])
        self.goal, self.at_least = said["goal"], at_least
        need(self.binaries | self.units <= set(self.columns), "an unknown column")
        need(all(self.columns[it] == [1, 0, 0, 0] for it in self.binaries | self.units), "a wide binary")
        need(set(self.goal) <= self.binaries and at_least > 0, "a goal that counts no binaries")
        # n, f and b are at least 0 in the region: a row says so of f and b, one of n alone of n.
        need([0, 0, 1, 0] in self.region and [0, 0, 0, 1] in self.region, "f or b may be negative")
        need(any(c[0] <= 0 and c[1:] == [1, 0, 0] for c in self.region), "n may be negative")

    def linear(self, terms, upper):
        form = {}
        for column, coefficients in terms.items():
            need(column in self.columns, "an unknown column in a row")
            for parameter, k in zip(PARAMETERS, coefficients):
                if k and column in self.binaries:
                    add(form, (column, parameter), k)
                elif k:
                    need(parameter == "1", "a product with a count")
                    add(form, column, k)
        for parameter, k in zip(PARAMETERS, upper):
            add(form, ("", parameter), -k)
        return form

    def times(self, form, condition):
        """An inequality of binaries and numbers, times what is at least 0."""
        product = {}
        for part, k in form.items():
            if k:
                need(isinstance(part, tuple) and part[1] == "1", "a row that cannot be multiplied")
                for parameter, c in zip(PARAMETERS, condition):
                    add(product, (part[0], parameter), k * c)
        return product

    def condition(self, text):
        need(text.isdecimal() and int(text) < len(self.region), "an unknown condition")
        return self.region[int(text)]

    def binary(self, name):
        need(name in self.binaries, "no binary: " + name)
        return name

    def row(self, name):
        need(name in self.rows, "an unknown row: " + name)
        return self.linear(self.rows[name]["terms"], self.rows[name]["upper"])

    def named(self, name):
        """The inequality that a multiplier's name stands for; each holds for all integer points."""
        kind, *words = name.split(":")
        goal = self.linear({it: [-1, 0, 0, 0] for it in self.goal}, [-self.at_least, 0, 0, 0])
        if kind == "row" and len(words) == 1:
            return self.row(words[0])
        if kind == "rlt" and len(words) == 2:
            return self.times(self.row(words[0]), self.condition(words[1]))
        if kind == "ub" and len(words) == 1:
            need(words[0] in self.columns, "an unknown column")
            return self.linear({words[0]: [1, 0, 0, 0]}, self.columns[words[0]])
        if kind == "theta" and len(words) == 1:
            return self.linear({}, self.condition(words[0]))
        if kind == "in" and len(words) == 2:  # y g >= 0
            return {(self.binary(words[0]), p): -k for p, k in zip(PARAMETERS, self.condition(words[1]))}
        if kind == "out" and len(words) == 2:  # (1 - y) g >= 0
            form = self.linear({}, self.condition(words[1]))
            for p, k in zip(PARAMETERS, self.condition(words[1])):
                add(form, (self.binary(words[0]), p), k)
            return form
        if kind == "cap" and len(words) == 2:  # y p <= p
            need(words[1] in PARAMETERS, "an unknown parameter")
            return {(self.binary(words[0]), words[1]): 1, ("", words[1]): -1}
        if kind == "goal" and len(words) <= 1:
            return self.times(goal, self.condition(words[0])) if words else goal
        raise Wrong("an unknown name: " + name)


class Certificate:
    def __init__(self, lines):
        need(lines and lines[0] == ["part", "name", "value"], "another header")
        self.lines, self.at, self.cubes, self.largest = lines[1:], 0, 0, 0

    def next(self):
        need(self.at < len(self.lines) and len(self.lines[self.at]) == 3, "it ends too early")
        self.at += 1
        return self.lines[self.at - 1]

    def program(self, program):
        for condition in program.region:
            part, name, _ = self.next()
            need(part == "region" and name == " ".join(map(str, condition)), "another region")
        self.tree(program, {})

    def tree(self, program, cube):
        part, name, value = self.next()
        if part == "split":
            need(value == "0" and name in program.binaries | program.units, "no cut: " + name)
            need(name not in cube, "a cube is cut twice at " + name)
            self.tree(program, {**cube, name: 0})
            self.tree(program, {**cube, name: 1})
        else:
            need(part == "bound" and value == "0", "an open cube")
            self.leaf(program, cube)

    def leaf(self, program, cube):
        total = {}
        self.cubes += 1
        while self.at < len(self.lines) and self.lines[self.at][0] == "multiplier":
            _, name, value = self.next()
            times = int(value)
            need(times >= 0, "a negative multiplier")
            self.largest = max(self.largest, times)
            for part, k in program.named(name).items():
                column, parameter = part if isinstance(part, tuple) else (part, "1")
                if column in cube:  # 0, or the parameter alone
                    if cube[column]:
                        add(total, ("", parameter), times * k)
                else:
                    add(total, part, times * k)
        # total <= 0, all parts are at least 0, and 1 is positive
        closes = total.get(("", "1"), 0) > 0 and all(k >= 0 for k in total.values())
        need(closes, f"cube {self.cubes} does not close")


def hashes(folder, says, files):
    """The files are those whose digests stand in the file that says what is claimed."""
    with open(os.path.join(folder, says), encoding="utf-8") as file:
        said = dict(re.findall(r"^(\w+)_sha256: '?([0-9a-f]{64})'?$", file.read(), re.M))
    for part, name in files.items():
        with open(os.path.join(folder, name), "rb") as file:
            found = hashlib.sha256(file.read()).hexdigest()
        need(found == said.get(part), f"{name} is not the one that {says} names")


def main(paths):
    if len(paths) == 1:
        hashes(paths[0], "proof.yaml", {"program": "program.json", "certificate": "certificate.csv"})
        paths = [os.path.join(paths[0], it) for it in ("program.json", "certificate.csv")]
    with open(paths[0], encoding="utf-8") as file:
        said = json.load(file)
    with open(paths[1], encoding="utf-8", newline="") as file:
        certificate = Certificate(list(csv.reader(file)))
    for program in said["programs"]:
        certificate.program(Program(program, said["at_least"]))
    need(certificate.at == len(certificate.lines), "something comes after the last cube")
    return f"verified: {certificate.cubes} cubes, largest multiplier {certificate.largest}"


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    try:
        print(main(sys.argv[1:]))
    except (Wrong, KeyError, ValueError) as error:
        sys.exit(f"not verified: {error}")

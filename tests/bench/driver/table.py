"""Rounds that alternate between contestants; the table of their medians and ratios."""

import re
import statistics

from .measure import Failed

COLUMNS = ("rate", "p50_us", "p99_us", "client_us", "server_us", "client_pss_kib", "server_pss_kib")


class Report:
    """Collects rows and what issue's targets say; prints rows as they come."""

    def __init__(self, rounds, seconds, wanted=""):
        self.rounds = rounds
        self.seconds = seconds
        self.wanted = re.compile(wanted)
        self.pending = None  # a heading whose first row has yet to come
        self.rows = []
        self.targets = []
        self.notes = []

    def wants(self, title):
        return self.wanted.search(title)

    def say(self, text):
        print(text, flush=True)

    def note(self, text):
        self.notes.append(text)
        self.say(f"  {text}")

    def heading(self, text):
        self.pending = (f"\n{text}\n{'':34} {'':14} {'per s':>10} {'spread':>7} {'p50 us':>8} {'p99 us':>8} "
                 f"{'CPU us: client':>14} {'server':>7} {'pipit is':>9} {'CPU is':>7}")

    def show_heading(self):
        if self.pending:
            self.say(self.pending)
        self.pending = None

    def compare(self, title, contestants):
        """Runs contestants (name -> function that measures once) in turn; the first is ours.

        Returns name -> median figures, with those of each round as `rounds`; a peer that fails is
        left out with a line that says so.
        """
        return self.compare_rows({title: contestants})[title]

    def compare_rows(self, rows):
        """As compare(), for rows (title -> contestants) that are compared with each other, too:
        a round runs all of them. Returns title -> name -> median figures.
        """
        self.show_heading()
        results = {title: {name: [] for name in contestants} for title, contestants in rows.items()}
        for _ in range(self.rounds):
            for title, contestants in rows.items():
                self.run_once(title, contestants, results[title])
        return {title: self.show_row(title, results[title]) for title in rows}

    def run_once(self, title, contestants, results):
        ours = next(iter(contestants))
        for name, run in contestants.items():
            if results[name] is None:
                continue
            try:
                results[name].append(run())
            except Failed as failed:
                if name == ours:
                    raise
                results[name] = None
                self.note(f"{title}: {name} left out: {failed}")

    def show_row(self, title, results):
        results = {name: figures for name, figures in results.items() if figures}
        medians = {}
        for name in results:
            medians[name] = self.row(title if not medians else "", title, name, results)
        return medians

    def row(self, shown, title, name, results):
        figures = results[name]
        ours = next(iter(results))
        median = {key: statistics.median(f[key] for f in figures) for key in COLUMNS
                  if key in figures[0]}
        rates = [f["rate"] for f in figures]
        median["spread"] = (max(rates) - min(rates)) / median["rate"] if median["rate"] else 0
        median["failed"] = sum(f["failed"] for f in figures)
        median["dropped"] = sum(f["dropped"] for f in figures)
        median["detail"] = figures[-1].get("detail", "")
        for key in ("rate", "p50_us", "p99_us"):
            median[key + "_ratio"] = ratio(results[ours], figures, key)
        cpu = [[f["client_us"] + f["server_us"] for f in fs] for fs in (results[ours], figures)]
        median["cpu_ratio"] = ratio_of(*cpu)
        compared = f"{'':17}"
        if name != ours:
            cpu = f"{median['cpu_ratio']:6.2f}x" if median["cpu_ratio"] else ""
            compared = f"{median['rate_ratio'] or 0:8.2f}x {cpu:>7}"
        trouble = "".join(f" {key}: {median[key]}" for key in ("failed", "dropped") if median[key])
        self.say(f"{shown:34} {name:14} {median['rate']:10,.0f} {median['spread']:6.0%} "
                 f"{median['p50_us']:8.1f} {median['p99_us']:8.1f} {median['client_us']:14.2f} "
                 f"{median['server_us']:7.2f} {compared} {median['detail']}{trouble}")
        median["rounds"] = figures
        self.rows.append({"row": title, "contestant": name, **median})
        return median

    def target(self, what, value, least, aim, higher=True, unit="x"):
        """One line of the table of targets; @least and @aim as the issue has them."""
        if value is not None:
            self.targets.append({"what": what, "value": value, "least": least, "aim": aim,
                                 "higher": higher, "unit": unit})

    def n_failed(self):
        """Calls of ours that failed, where nothing was overloaded on purpose."""
        return sum(row.get("failed", 0) for row in self.rows if row["contestant"] == "pipit")

    def summary(self):
        if not self.targets:
            return
        self.say(f"\n{'what it must show':64} {'measured':>10} {'at least':>10} {'aim':>10}")
        for target in self.targets:
            reaches = [target["value"] >= bound if target["higher"] else target["value"] <= bound
                       for bound in (target["least"], target["aim"])]
            verdict = "aim reached" if all(reaches) else "" if reaches[0] else "SHORT"
            unit = target["unit"]
            self.say(f"{target['what']:64} {target['value']:9.2f}{unit} {target['least']:9.2f}{unit} "
                     f"{target['aim']:9.2f}{unit} {verdict}")


def ratio_of(ours, theirs):
    """The median over rounds of ours to theirs: a round's two ran one after the other."""
    ratios = [a / b for a, b in zip(ours, theirs) if b]
    return statistics.median(ratios) if ratios else None


def ratio(ours, theirs, key):
    return ratio_of([f[key] for f in ours], [f[key] for f in theirs])


def best_of(variants, run, key="rate", tries=2):
    """The variant of a contestant that does best in short runs; None: none ran.

    Its better run counts: what else the machine does only ever slows.
    """
    best = {}
    for _ in range(tries if len(variants) > 1 else 1):
        for variant in variants:
            try:
                best[variant] = max(run(variant)[key], best.get(variant, 0))
            except Failed:
                continue
    return max(best, key=best.get) if best else None

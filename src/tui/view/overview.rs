//! The first screen: what answers where, how much happens, how long it takes, what it costs, what is wrong.

use ratatui::layout::Rect;

use super::paint::{left, right, stretch};
use super::{Canvas, split_left, split_top};
use crate::cost::{Add, Work};
use crate::telemetry::{Level, Record};
use crate::tui::text;

/// Microseconds that end the bars of the histogram: for few rows and for many.
const FEW: [u64; 4] = [5_000, 25_000, 100_000, 500_000];
const MANY: [u64; 10] = [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000];
/// What is counted like a service, but is emu's own.
const PARTS: [&str; 3] = ["functions", "gateway", "triggers"];
/// Seconds of a month of 30 days.
const MONTH_S: u64 = 30 * 86_400;
/// Seconds that the rate of a month is taken from.
const RATE_S: u64 = 60;

impl Canvas<'_> {
    pub(super) fn overview(&mut self, area: Rect) {
        let addresses = self.state.about.addresses.len() as u16 + 3;
        if area.width >= 160 {
            let (one, rest) = split_left(area, area.width / 3);
            let (two, three) = split_left(rest, rest.width / 2);
            let (top, below) = split_top(one, addresses);
            self.addresses(top);
            self.functions(below);
            let (top, below) = split_top(two, two.height / 2);
            self.rate(top);
            self.latency(below);
            let (top, below) = split_top(three, three.height / 3);
            self.spending(top);
            self.latest(below);
            return;
        }
        let (one, two) = split_left(area, area.width / 2);
        let (top, rest) = split_top(one, addresses);
        self.addresses(top);
        let (middle, below) = split_top(rest, rest.height * 5 / 8);
        self.functions(middle);
        self.latest(below);
        let third = two.height / 3;
        let (top, rest) = split_top(two, third);
        self.rate(top);
        let (middle, below) = split_top(rest, third.max(7).min(rest.height));
        self.latency(middle);
        self.spending(below);
    }

    fn addresses(&mut self, area: Rect) {
        let state = self.state;
        let title = format!("{} ({})", state.about.project, state.about.stage);
        let inner = self.panel(area, &title, &format!("emu {}", state.about.version));
        for (row, (name, url)) in state.about.addresses.iter().enumerate() {
            self.put(inner, row as u16, &[(&text::fit(name, 9), self.theme.dim()), (" ", self.theme.plain()), (url, self.theme.plain())]);
        }
        let services = self.services();
        let words = if services.is_empty() { "none called yet".to_owned() } else { services };
        let row = state.about.addresses.len() as u16;
        self.put(inner, row, &[(&text::fit("services", 10), self.theme.dim()), (&words, self.theme.plain())]);
    }

    /// How often each service was asked, the busiest first.
    fn services(&self) -> String {
        let mut asked: Vec<_> = self.state.tally.services.iter().filter(|(name, _)| !PARTS.contains(&&***name)).collect();
        asked.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.count));
        asked.iter().map(|(name, sum)| format!("{name} {}", text::count(sum.count))).collect::<Vec<_>>().join(" · ")
    }

    fn functions(&mut self, area: Rect) {
        let state = self.state;
        let sums = &state.tally.functions;
        let mut names: Vec<_> = state.about.functions.iter().chain(sums.keys()).collect();
        names.sort();
        names.dedup();
        let inner = self.panel(area, "Functions", &text::counted(names.len() as u64, "function"));
        let mut columns = [left("", 0), right("calls", 7), right("err", 5), right("p95", 8)];
        stretch(&mut columns, 0, inner.width, 8);
        let (head, rows) = split_top(inner, 1);
        self.heads(head, &columns);
        // The busiest first; the order of equals stays by name.
        names.sort_by_key(|name| std::cmp::Reverse(sums.get(*name).map_or(0, |sum| sum.count)));
        let fits = usize::from(rows.height);
        let shown = if names.len() > fits { fits.saturating_sub(1) } else { names.len() };
        for (row, name) in names.iter().take(shown).enumerate() {
            let sum = sums.get(*name);
            let (count, errors) = sum.map_or((0, 0), |sum| (sum.count, sum.errors));
            let dim = if count == 0 { self.theme.dim() } else { self.theme.plain() };
            let p95 = sum.and_then(|sum| sum.latencies.percentile(95)).map_or_else(|| "–".into(), text::duration);
            let cells = [
                (name.to_string(), dim),
                (text::count(count), dim),
                (text::count(errors), if errors > 0 { self.theme.bad() } else { dim }),
                (p95, dim),
            ];
            self.cells(rows, row as u16, &columns, &cells, false);
        }
        if shown < names.len() {
            self.put(rows, shown as u16, &[(&format!("and {} more", names.len() - shown), self.theme.dim())]);
        }
    }

    fn rate(&mut self, area: Rect) {
        let tally = &self.state.tally;
        // The second under way would always look like a fall.
        let ended = tally.last_seconds(2).next().map_or((0, 0), |second| (second.invocations, second.errors));
        let total = format!("{} · {}", text::counted(tally.total.count, "call"), text::counted(tally.total.errors, "error"));
        let inner = self.panel(area, "Invocations/s", &total);
        let wide = usize::from(inner.width);
        let (calls, errors): (Vec<u64>, Vec<u64>) = tally.last_seconds(wide).map(|second| (second.invocations, second.errors)).unzip();
        if tally.total.count == 0 {
            self.empty(inner, &["No invocation yet", &self.state.about.example]);
            return;
        }
        let errors_height = if inner.height >= 8 { 2 } else { 1 };
        let (upper, lower) = split_top(inner, inner.height.saturating_sub(errors_height + 1));
        let most = self.spark(upper, &calls, self.theme.good());
        let (label, below) = split_top(lower, 1);
        self.spark(below, &errors, self.theme.bad());
        let words = format!("{}/s now · {most}/s at most · errors {}/s ", ended.0, ended.1);
        self.put(label, 0, &[(&words, self.theme.dim())]);
    }

    fn latency(&mut self, area: Rect) {
        let latencies = &self.state.tally.total.latencies;
        let at = |of_hundred| latencies.percentile(of_hundred).map(text::duration);
        let aside = match (at(50), at(95), at(99)) {
            (Some(p50), Some(p95), Some(p99)) => format!("p50 {p50} · p95 {p95} · p99 {p99}"),
            _ => String::new(),
        };
        let short = if area.width < 60 { aside.split(" · p99").next().unwrap_or_default().to_owned() } else { aside };
        let inner = self.panel(area, "Latency", &short);
        let bounds: &[u64] = if usize::from(inner.height) > MANY.len() { &MANY } else { &FEW };
        let buckets = latencies.buckets(bounds);
        let most = buckets.iter().copied().max().unwrap_or(0);
        for (row, count) in buckets.iter().enumerate() {
            let label = match bounds.get(row) {
                Some(bound) => format!("≤ {}", text::duration(*bound).replace(".0 ", " ").replace(".00 ", " ")),
                None => "more".to_owned(),
            };
            let (name, rest) = split_left(inner, 10);
            self.put(name, row as u16, &[(&text::fit_right(&label, 9), self.theme.dim())]);
            let (bar, number) = split_left(rest, rest.width.saturating_sub(8));
            self.bar(bar, row as u16, *count, most, self.theme.accent());
            if *count > 0 {
                self.put_right(number, row as u16, &text::count(*count), self.theme.plain());
            }
        }
    }

    fn spending(&mut self, area: Rect) {
        let (state, theme) = (self.state, self.theme);
        let provider = self.prices.providers().get(state.costs.provider).map(|p| format!("{}, {}", p.name, p.date)).unwrap_or_default();
        let inner = self.panel(area, "So far", &provider);
        let mut row = 0;
        let mut fact = |canvas: &mut Self, name: &str, value: &str, style| {
            canvas.put(inner, row, &[(&text::fit(name, 12), theme.dim()), (value, style)]);
            row += 1;
        };
        if let Some(cost) = self.money(&state.tally.total.work) {
            fact(self, "cost", &cost.to_string(), theme.money());
            let uptime_s = u64::try_from((state.now.0 - state.started.0) / 1_000).unwrap_or(0).max(1);
            let window = RATE_S.min(uptime_s);
            let mut work = Work::default();
            state.tally.last_seconds(window as usize).for_each(|second| work.add(&second.work));
            let month = self.prices.cost(state.costs.provider, &work).times(MONTH_S).over(window);
            // What is kept costs the same whatever the rate.
            let month = self.keeping().map_or(month, |keeping| month.plus(keeping));
            let month = if inner.width < 50 { month.short() } else { month.to_string() };
            fact(self, "a month", &format!("{month} (rate of {window} s)"), theme.money());
        }
        let tally = &state.tally;
        fact(self, "requests", &format!("{}, {}", text::count(tally.requests), text::counted(tally.mails, "mail")), theme.plain());
        let (waiting, running) = (text::count(state.counts.pending), text::count(state.counts.in_flight));
        let words = format!("{} delivered, {waiting} wait, {running} run", text::count(tally.deliveries));
        fact(self, "events", &words, theme.plain());
        if state.counts.dead_letters > 0 {
            fact(self, "given up", &text::counted(state.counts.dead_letters, "dead letter"), theme.bad());
        }
        if let Some(Record::Reload(reload)) = state.last_reload.as_deref() {
            let failed = if reload.failed.is_empty() { String::new() } else { format!(", {} failed", reload.failed.len()) };
            let (took, ago) = (text::duration(reload.micros), text::away(state.now, reload.at));
            let words = format!("{took}, {} ready{failed}, {ago}", reload.ready.len());
            fact(self, "reload", &words, if reload.failed.is_empty() { theme.good() } else { theme.bad() });
        }
    }

    fn latest(&mut self, area: Rect) {
        let problems = &self.state.problems;
        let (errors, warnings) = problems.standing();
        let aside = match (errors, warnings) {
            (0, 0) => String::new(),
            (errors, warnings) => {
                format!("{}, {}", text::counted(errors as u64, "error"), text::counted(warnings as u64, "warning"))
            }
        };
        let inner = self.panel(area, "Problems", &aside);
        let shown = problems.shown();
        let standing: Vec<_> = shown.iter().filter(|told| !told.over).collect();
        if standing.is_empty() {
            self.put(inner, 0, &[("none", self.theme.good())]);
            return;
        }
        let mut row = 0;
        for told in standing {
            let (sign, style) = if told.problem.level == Level::Error { ("✗ ", self.theme.bad()) } else { ("! ", self.theme.warn()) };
            self.put(inner, row, &[(sign, style), (&told.problem.message, self.theme.plain())]);
            row += 1;
            if let Some(help) = told.problem.help.as_ref().filter(|_| inner.height > 6) {
                self.put(inner, row, &[("  ", self.theme.plain()), (help, self.theme.dim())]);
                row += 1;
            }
            if row >= inner.height {
                break;
            }
        }
    }
}

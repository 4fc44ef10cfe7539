//! What it costs: by kind of trace, by function, by service; and a million a month, side by side.

use ratatui::layout::Rect;

use super::paint::{left, right, stretch};
use super::{Canvas, PRICE_WIDTH, split_bottom, split_left, split_top};
use crate::base::{Unit, Usage};
use crate::cost::{Add, Work};
use crate::tui::money::Money;
use crate::tui::state::{By, Hit, Sum, top};
use crate::tui::text;

/// Calls a month that providers are compared by.
const CALLS: u64 = 1_000_000;

impl Canvas<'_> {
    pub(super) fn cost(&mut self, area: Rect) {
        let (state, theme) = (self.state, self.theme);
        let providers = self.prices.providers();
        let Some(provider) = providers.get(state.costs.provider) else {
            let inner = self.panel(area, "Cost", "");
            self.empty(inner, &["There are no prices", "What was used is counted all the same: open an invocation"]);
            return;
        };
        let free = if state.costs.free_tier { "with the free tier" } else { "without the free tier" };
        let inner = self.panel(area, &format!("Cost · {}", provider.name), &format!("prices of {} · {free}", provider.date));
        let (tabs, rest) = split_top(inner, 1);
        self.by_tabs(tabs);
        let sums = state.sums(state.costs.by);
        if sums.is_empty() {
            self.empty(rest, &["Nothing was used yet", &state.about.example]);
            return;
        }
        let mut sums: Vec<(&str, &Sum, Money)> =
            sums.iter().map(|(name, sum)| (*name, &**sum, self.prices.cost(state.costs.provider, &sum.work))).collect();
        sums.sort_by(|a, b| b.2.high.cmp(&a.2.high).then(a.0.cmp(b.0)));
        let selected = state.costs.row.min(sums.len() - 1);
        let (list, below) = split_bottom(rest, (providers.len() as u16 + 3).min(rest.height / 2));
        let (head, rows) = split_top(list, 1);
        let wide = inner.width >= 110;
        let share = if wide { 24 } else { 10 };
        let mut columns = [
            left("", 0),
            right("calls", 9),
            right("total", if wide { 22 } else { PRICE_WIDTH }),
            right("a call", PRICE_WIDTH),
            left("share", share),
        ];
        stretch(&mut columns, 0, inner.width, 12);
        self.heads(head, &columns);
        self.drawn.page = usize::from(rows.height);
        let all = sums.iter().fold(0u64, |all, (_, _, money)| all.saturating_add(money.high));
        let from = top(selected, sums.len(), usize::from(rows.height));
        for (row, (place, (name, sum, money))) in sums.iter().enumerate().skip(from).take(usize::from(rows.height)).enumerate() {
            let line = Rect { y: rows.y + row as u16, height: 1, ..rows };
            let total = if wide { money.to_string() } else { money.short() };
            let cells = [
                ((*name).to_owned(), theme.plain()),
                (text::count(sum.count), theme.plain()),
                (total, theme.money()),
                (money.over(sum.count).short(), theme.money()),
                (String::new(), theme.plain()),
            ];
            self.cells(line, 0, &columns, &cells, place == selected);
            let (_, bar) = split_left(line, line.width.saturating_sub(share as u16 + 1));
            self.bar(Rect { width: share as u16, ..bar }, 0, money.high, all, theme.accent());
            self.drawn.hits.push((line, Hit::Row(place)));
        }
        let (name, sum, _) = sums[selected];
        self.compare(below, name, sum);
    }

    fn by_tabs(&mut self, area: Rect) {
        let mut x = area.x;
        for (by, name) in [(By::Kind, "what began it"), (By::Function, "function"), (By::Service, "service")] {
            let style = if by == self.state.costs.by { self.theme.bold().patch(self.theme.selected()) } else { self.theme.dim() };
            let from = x;
            x = self.put_at(area, x, 0, &[(&format!(" by {name} "), style)]);
            self.drawn.hits.push((Rect { x: from, width: x.saturating_sub(from), ..area }, Hit::By(by)));
        }
        if let Some(total) = self.money(&self.state.tally.total.work) {
            let all = format!("all: {total}");
            let keeping = self.keeping().map(|money| format!("{all} · kept: {money} a month"));
            // Where both do not fit beside the tabs, what was used says more.
            let room = usize::from((area.x + area.width).saturating_sub(x + 1));
            let words = keeping.filter(|words| text::width(words) <= room).unwrap_or(all);
            self.put_right(area, 0, &words, self.theme.money());
        }
    }

    /// A million of the selected row, at every provider.
    fn compare(&mut self, area: Rect, name: &str, sum: &Sum) {
        let theme = self.theme;
        let inner = self.panel(area, &format!("{name}: 1 M a month"), "");
        if sum.count == 0 {
            self.empty(inner, &["It has not been called yet"]);
            return;
        }
        let mut month = sum.work.scaled(CALLS, sum.count);
        if self.state.costs.by == By::Service {
            month.add(&Work::counted(&kept_by(name, &self.state.counts.kept)));
        }
        for (row, provider) in self.prices.providers().iter().enumerate() {
            let cost = self.prices.month(row, &month, self.state.costs.free_tier);
            let sign = if row == self.state.costs.provider { "›" } else { " " };
            let words = [
                (sign, theme.title()),
                (" ", theme.plain()),
                (&*text::fit(&provider.name, 20), theme.plain()),
                (&*text::fit_right(&cost.to_string(), 22), theme.money()),
                ("  ", theme.plain()),
                (&provider.date, theme.dim()),
            ];
            self.put(inner, row as u16, &words);
        }
    }
}

/// What a service keeps.
fn kept_by(service: &str, kept: &Usage) -> Usage {
    let unit = match service {
        "dynamodb" => Unit::TableBytesStored,
        "s3" => Unit::ObjectBytesStored,
        "triggers" => Unit::Schedules,
        _ => return Usage::default(),
    };
    let mut own = Usage::default();
    own.add(unit, kept.get(unit));
    own
}

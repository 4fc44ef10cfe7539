//! The list of invocations, newest last.

use ratatui::layout::Rect;

use super::paint::{left, right, stretch};
use super::{Canvas, PRICE_WIDTH, split_top};
use crate::telemetry::{Invocation, Outcome, Record};
use crate::tui::state::Hit;
use crate::tui::text;

impl Canvas<'_> {
    pub(super) fn invocations(&mut self, area: Rect) {
        let state = self.state;
        let filter = state.invocation_filter.words();
        let follow = if state.invocations.follows() { "following" } else { "f follows" };
        let shown = text::count(state.invocations.len() as u64);
        let aside = if filter.is_empty() { format!("{shown} · {follow}") } else { format!("{shown} · {filter} · {follow}") };
        let inner = self.panel(area, "Invocations", &aside);
        if state.invocations.is_empty() {
            if state.tally.total.count > 0 && !state.invocation_filter.is_off() {
                self.empty(inner, &["No invocation fits the filter", "Esc drops it"]);
            } else {
                self.empty(inner, &["No invocation yet", &state.about.example]);
            }
            return;
        }
        let (head, rows) = split_top(inner, 1);
        // Of little room the trigger gets what the others leave; of much, errors and names are whole.
        let (some, wide) = (inner.width >= 110, inner.width >= 150);
        let price = if self.priced { PRICE_WIDTH } else { 0 };
        let wanted = |narrow: usize, middle: usize, most: usize| match (some, wide) {
            (_, true) => most,
            (true, false) => middle,
            (false, false) => narrow,
        };
        let mut columns = [
            left("time", wanted(8, 12, 12)),
            left("trigger", 0),
            left("function", wanted(13, 20, 28)),
            left("status", wanted(9, 20, 30)),
            right("took", 8),
            right("cpu", wanted(0, 8, 8)),
            right("memory", wanted(8, 8, 16)),
            right("cost", price),
        ];
        stretch(&mut columns, 1, inner.width, 8);
        self.heads(head, &columns);
        self.drawn.page = usize::from(rows.height);
        let selected = state.invocations.place();
        let window: Vec<(usize, u64)> = state.invocations.window(usize::from(rows.height)).collect();
        for (row, (place, number)) in window.into_iter().enumerate() {
            let Some(Record::Invocation(i)) = state.book.get(number).map(|record| &**record) else { continue };
            let cells = self.invocation_cells(number, i, some, wide);
            self.cells(rows, row as u16, &columns, &cells, selected == Some(place));
            self.drawn.hits.push((Rect { y: rows.y + row as u16, height: 1, ..rows }, Hit::Row(place)));
        }
    }

    fn invocation_cells(&self, number: u64, i: &Invocation, some: bool, wide: bool) -> [(String, ratatui::style::Style); 8] {
        let theme = self.theme;
        let time = if some { i.at.utc().format("%H:%M:%S%.3f").to_string() } else { text::clock(i.at) };
        let (status, style) = match &i.outcome {
            Outcome::Succeeded if i.cold => ("ok, cold".to_owned(), theme.good()),
            Outcome::Succeeded => ("ok".to_owned(), theme.good()),
            Outcome::Failed { kind, message } if some => (format!("{kind}: {message}"), theme.bad()),
            Outcome::Failed { kind, .. } => (kind.clone(), theme.bad()),
            Outcome::Refused { message } if some => (format!("refused: {message}"), theme.warn()),
            Outcome::Refused { .. } => ("refused".to_owned(), theme.warn()),
        };
        let memory = text::bytes(i.memory_peak_bytes);
        let memory = if wide && i.memory_mib > 0 { format!("{memory} / {} MB", i.memory_mib) } else { memory };
        let cost = self.state.bill(number).map(|work| self.price(work)).unwrap_or_default();
        [
            (time, theme.dim()),
            (i.trigger.to_string(), theme.plain()),
            (i.function.to_string(), theme.bold()),
            (status, style),
            (text::duration(i.span.wall_micros), theme.plain()),
            (text::duration(i.cpu_micros), theme.dim()),
            (memory, theme.dim()),
            (cost, theme.money()),
        ]
    }
}

//! All that functions logged, newest last.

use ratatui::layout::Rect;

use super::paint::{left, stretch};
use super::{Canvas, split_top};
use crate::telemetry::{Record, redact};
use crate::tui::state::Hit;
use crate::tui::text;

impl Canvas<'_> {
    pub(super) fn logs(&mut self, area: Rect) {
        let (state, theme) = (self.state, self.theme);
        let filter = state.log_filter.words();
        let follow = if state.logs.follows() { "following" } else { "f follows" };
        let shown = text::count(state.logs.len() as u64);
        let aside = if filter.is_empty() { format!("{shown} · {follow}") } else { format!("{shown} · {filter} · {follow}") };
        let inner = self.panel(area, "Logs", &aside);
        if state.logs.is_empty() {
            if state.log_filter.is_off() {
                self.empty(inner, &["Nothing was logged yet", "What functions write with console.log appears here"]);
            } else {
                self.empty(inner, &["No line fits the filter", "Esc drops it"]);
            }
            return;
        }
        let selected = state.logs.selected().and_then(|number| state.book.get(number));
        let whole = match selected.map(|record| &**record) {
            // A line that is selected and longer than its row is shown whole below.
            Some(Record::Log(log)) if !state.logs.follows() => {
                text::wrap(&redact::text(&log.text), usize::from(inner.width).saturating_sub(1), usize::from(inner.height) / 2)
            }
            _ => Vec::new(),
        };
        let whole = if whole.len() > 1 { whole } else { Vec::new() };
        let (head, body) = split_top(inner, 1);
        let below = if whole.is_empty() { 0 } else { whole.len() as u16 + 1 };
        let (rows, below) = split_top(body, body.height.saturating_sub(below));
        let wide = inner.width >= 110;
        let mut columns =
            [left("time", if wide { 12 } else { 8 }), left("level", 5), left("function", if wide { 28 } else { 14 }), left("text", 0)];
        stretch(&mut columns, 3, inner.width, 10);
        self.heads(head, &columns);
        self.drawn.page = usize::from(rows.height);
        let selected = state.logs.place();
        let window: Vec<(usize, u64)> = state.logs.window(usize::from(rows.height)).collect();
        for (row, (place, number)) in window.into_iter().enumerate() {
            let Some(Record::Log(log)) = state.book.get(number).map(|record| &**record) else { continue };
            let time = if wide { log.at.utc().format("%H:%M:%S%.3f").to_string() } else { text::clock(log.at) };
            let style = self.level_style(log.level);
            let cells = [
                (time, theme.dim()),
                (log.level.label().to_owned(), style),
                (log.function.to_string(), theme.bold()),
                (redact::text(log.text.trim_end()).into_owned(), style),
            ];
            self.cells(rows, row as u16, &columns, &cells, selected == Some(place) && !state.logs.follows());
            self.drawn.hits.push((Rect { y: rows.y + row as u16, height: 1, ..rows }, Hit::Row(place)));
        }
        if !whole.is_empty() {
            self.put(below, 0, &[(&"─".repeat(usize::from(below.width)), theme.dim())]);
            for (row, line) in whole.iter().enumerate() {
                self.put(below, row as u16 + 1, &[(line, theme.plain())]);
            }
        }
    }
}

//! A row for each that is compared; how much it takes is told to the right.

use svg::node::element::Rectangle;

use super::{document, legend, line, mark, number, text, width, Axis, Figure, WIDTH};

/// A plot with a row for each that is compared. On a linear axis there are bars.
#[derive(Clone, Debug)]
pub struct Dots {
    pub title: String,
    pub axis: Axis,
    /// What the figures of a row are of. One needs no legend.
    pub series: Vec<String>,
    pub rows: Vec<Row>,
}

/// One that is compared.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    ours: bool,
    /// One for each series.
    figures: Vec<Option<Figure>>,
}

impl Row {
    pub fn new(name: impl Into<String>, ours: bool, figures: Vec<Option<Figure>>) -> Self {
        Row {
            name: name.into(),
            ours,
            figures,
        }
    }
}

const TOP: f64 = 44.0;
const LANE: f64 = 15.0;
const GAP: f64 = 9.0;
/// For the numbers at the axis, and its title.
const BOTTOM: f64 = 56.0;
/// For the value of the one that takes the most.
const RIGHT: f64 = 84.0;

impl Dots {
    /// The SVG file.
    pub fn draw(&self) -> String {
        let lanes = self.series.len().max(1) as f64;
        let pitch = lanes * LANE + GAP;
        let top = TOP + if self.series.len() > 1 { 22.0 } else { 0.0 };
        let end = top + self.rows.len() as f64 * pitch;
        let names = self.rows.iter().map(|row| width(&row.name));
        let left = 24.0 + names.fold(0.0, f64::max);
        let all = self
            .rows
            .iter()
            .flat_map(|row| row.figures.iter().flatten());
        let scale = self
            .axis
            .over(all.flat_map(|figure| [figure.least(), figure.median, figure.most()]));
        let x = |value: f64| left + scale.at(value) * (WIDTH - RIGHT - left);

        let mut drawn = document(end + BOTTOM, &self.title);
        if self.series.len() > 1 {
            drawn = drawn.add(legend(&self.series, TOP + 6.0));
        }
        for (&tick, told) in (scale.between.iter().map(|at| (at, false)))
            .chain(scale.ticks.iter().map(|at| (at, true)))
        {
            drawn = drawn.add(line("grid", [x(tick), top], [x(tick), end]));
            if told {
                let label = scale.label(tick);
                drawn = drawn.add(text(x(tick), end + 18.0, "tick", "middle", &label));
            }
        }
        for (number_of, row) in self.rows.iter().enumerate() {
            let begin = top + number_of as f64 * pitch;
            let middle = begin + pitch / 2.0;
            let class = if row.ours { "ours" } else { "" };
            drawn = drawn.add(text(left - 10.0, middle + 4.0, class, "end", &row.name));
            for (series, figure) in row.figures.iter().enumerate() {
                let Some(figure) = figure else { continue };
                // Alone, the colour tells whose it is.
                let colour = match (self.series.len(), row.ours) {
                    (2.., _) | (_, true) => series,
                    _ => 7,
                };
                let y = begin + GAP / 2.0 + (series as f64 + 0.5) * LANE;
                if self.axis.is_log() {
                    drawn = drawn.add(mark(colour, x(figure.median), y));
                } else {
                    drawn = drawn.add(
                        Rectangle::new()
                            .set("class", format!("f{colour}"))
                            .set("x", number(left))
                            .set("y", number(y - LANE * 0.4))
                            .set("width", number(x(figure.median) - left))
                            .set("height", number(LANE * 0.8)),
                    );
                }
                if let Some([lower, upper]) = figure.quartiles {
                    // Over a bar, in the colour of what is written.
                    let class = if self.axis.is_log() {
                        format!("whisker s{colour}")
                    } else {
                        "whisker frame".to_owned()
                    };
                    let whisker = |from, to| line(&class, from, to);
                    drawn = drawn.add(whisker([x(lower), y], [x(upper), y]));
                    for end in [lower, upper] {
                        drawn = drawn.add(whisker([x(end), y - 3.5], [x(end), y + 3.5]));
                    }
                }
                let class = if row.ours { "value ours" } else { "value" };
                let value = self.axis.unit.tell(figure.median);
                drawn = drawn.add(text(
                    x(figure.most()) + 9.0,
                    y + 4.0,
                    class,
                    "start",
                    &value,
                ));
            }
        }
        drawn
            .add(line("frame", [left, end], [WIDTH - RIGHT, end]))
            .add(text(
                (left + WIDTH - RIGHT) / 2.0,
                end + 40.0,
                "axis",
                "middle",
                &scale.title,
            ))
            .to_string()
    }
}

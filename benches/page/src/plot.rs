//! Plots, as SVG files that are readable in light and dark: each brings its own ground and its own colours, for what the reader prefers.

mod axis;
mod dots;
mod lines;

use svg::node::element::{Circle, Element, Group, Line, Rectangle, Style, Text, Title};
use svg::node::Value;
use svg::Document;

pub use axis::{Axis, Unit};
pub use dots::{Dots, Row};
pub use lines::{Curve, Lines, Names};

/// How wide each plot is. (In the units of the file; the page shows it as wide as fits.)
const WIDTH: f64 = 920.0;

/// How many colours there are; the first is ours.
const COLOURS: usize = 10;

/// For a light ground, and for a dark one. Each is told from its neighbours by those who see no red or no green, too; and never by its colour alone, since
/// what it means is written beside it.
const PALETTE: [[&str; 2]; COLOURS] = [
    ["#0b57d0", "#7cacf8"],
    ["#c2410c", "#fb9a5b"],
    ["#137333", "#6bd18a"],
    ["#9333a8", "#e396ec"],
    ["#8a6100", "#e2bd58"],
    ["#00798a", "#5fd0dc"],
    ["#b3261e", "#ff8a80"],
    ["#5f6368", "#a9b0b7"],
    ["#6d4c41", "#cda494"],
    ["#be185d", "#f9a8d4"],
];

/// A figure with the quartiles around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The median.
    pub median: f64,
    /// The quartiles, where there are some.
    pub quartiles: Option<[f64; 2]>,
}

impl Figure {
    /// One that was not measured several times.
    pub fn exact(value: f64) -> Self {
        Figure {
            median: value,
            quartiles: None,
        }
    }

    fn least(&self) -> f64 {
        self.quartiles.map_or(self.median, |[lower, _]| lower)
    }

    fn most(&self) -> f64 {
        self.quartiles.map_or(self.median, |[_, upper]| upper)
    }
}

fn style() -> String {
    let scheme = |dark: usize| {
        let [paper, ink, faint] = [
            ["#ffffff", "#1f2328", "#d4d9de"],
            ["#0d1117", "#e6edf3", "#30363d"],
        ][dark];
        let mut css = format!(
            ".paper{{fill:{paper}}}text{{fill:{ink}}}.grid{{stroke:{faint}}}.frame{{stroke:{ink}}}"
        );
        for (number, colours) in PALETTE.iter().enumerate() {
            let colour = colours[dark];
            css += &format!(".f{number}{{fill:{colour}}}.s{number}{{stroke:{colour}}}");
        }
        css
    };
    format!(
        "text{{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}}.title{{font-size:15px;font-weight:600}}.tick{{font-size:12px}}\
         .value{{font-size:12px}}.ours{{font-weight:600}}.grid,.frame,.whisker,.curve{{fill:none}}.grid{{stroke-width:1}}.frame{{stroke-width:1}}\
         .whisker{{stroke-width:1.5}}.curve{{stroke-width:1.75;stroke-linejoin:round}}.main{{stroke-width:3}}{}@media(prefers-color-scheme:dark){{{}}}",
        scheme(0),
        scheme(1)
    )
}

/// An empty plot of this height.
fn document(height: f64, title: &str) -> Document {
    Document::new()
        .set("viewBox", format!("0 0 {WIDTH} {}", number(height)))
        .set("width", WIDTH)
        .set("height", number(height))
        .set("role", "img")
        .add(Title::new(title))
        .add(Style::new(style()))
        .add(
            Rectangle::new()
                .set("class", "paper")
                .set("width", "100%")
                .set("height", "100%")
                .set("rx", 6),
        )
        .add(text(16.0, 26.0, "title", "start", title))
}

/// A length in the file: a tenth is finer than anybody sees, and the same on every machine.
fn number(value: f64) -> Value {
    let tenths = (value * 10.0).round() / 10.0;
    // Never `-0`.
    Value::from(tenths + 0.0)
}

fn text(x: f64, y: f64, class: &str, anchor: &str, content: &str) -> Text {
    Text::new(content)
        .set("x", number(x))
        .set("y", number(y))
        .set("class", class)
        .set("text-anchor", anchor)
}

fn line(class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> Line {
    Line::new()
        .set("class", class)
        .set("x1", number(x1))
        .set("y1", number(y1))
        .set("x2", number(x2))
        .set("y2", number(y2))
}

/// A mark at a point: each series has its own shape, too.
fn mark(series: usize, x: f64, y: f64) -> Element {
    let class = format!("f{}", series % COLOURS);
    const R: f64 = 4.5;
    match series % 3 {
        0 => Circle::new()
            .set("class", class)
            .set("cx", number(x))
            .set("cy", number(y))
            .set("r", number(R))
            .into(),
        1 => Rectangle::new()
            .set("class", class)
            .set("x", number(x - R * 0.85))
            .set("y", number(y - R * 0.85))
            .set("width", number(R * 1.7))
            .set("height", number(R * 1.7))
            .into(),
        _ => {
            let corner = |dx: f64, dy: f64| format!("{},{}", number(x + dx), number(y + dy));
            let corners = [
                corner(0.0, -R * 1.2),
                corner(R * 1.2, R),
                corner(-R * 1.2, R),
            ];
            svg::node::element::Polygon::new()
                .set("class", class)
                .set("points", corners.join(" "))
                .into()
        }
    }
}

/// What the series are, in a row above the plot.
fn legend(names: &[String], y: f64) -> Group {
    let mut group = Group::new();
    let mut x = 20.0;
    for (series, name) in names.iter().enumerate() {
        group = group
            .add(mark(series, x, y - 4.0))
            .add(text(x + 10.0, y, "", "start", name));
        x += 36.0 + width(name);
    }
    group
}

/// About how wide a text is: nobody here has the reader's fonts.
fn width(text: &str) -> f64 {
    text.chars().count() as f64 * 7.6
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn dots() -> Dots {
        Dots {
            title: "A <title> & more".into(),
            axis: Axis::log("time of one read", Unit::Nanoseconds),
            series: vec!["1 thread".into(), "2 threads".into()],
            rows: vec![
                Row::new("ours", true, vec![Some(Figure::exact(1.5)), None]),
                Row::new(
                    "rival<T> 1.2",
                    false,
                    vec![
                        Some(Figure {
                            median: 100.0,
                            quartiles: Some([90.0, 12_000.0]),
                        }),
                        Some(Figure::exact(7.0)),
                    ],
                ),
            ],
        }
    }

    pub fn lines() -> Lines {
        let curve = |name: &str, ours, to: f64| Curve {
            name: name.into(),
            ours,
            marks: true,
            points: vec![
                (1.0, Figure::exact(10.0)),
                (
                    1000.0,
                    Figure {
                        median: to,
                        quartiles: Some([to * 0.9, to * 1.1]),
                    },
                ),
            ],
        };
        Lines {
            title: "Lines".into(),
            x: Axis::log("timers", Unit::Count),
            y: Axis::log("time of all", Unit::Nanoseconds),
            curves: vec![
                curve("ours", true, 1e4),
                curve("a", false, 1e4),
                curve("b & c", false, 1e5),
            ],
            names: Names::AtEnds,
        }
    }

    #[test]
    fn the_same_figures_make_the_same_file() {
        assert_eq!(dots().draw(), dots().draw());
        assert_eq!(lines().draw(), lines().draw());
    }

    #[test]
    fn what_is_written_is_escaped() {
        let drawn = dots().draw();
        assert!(drawn.contains("A &lt;title&gt; &amp; more"), "{drawn}");
        assert!(drawn.contains("rival&lt;T&gt; 1.2"), "{drawn}");
        assert!(!drawn.contains("rival<T>"), "{drawn}");
        assert!(lines().draw().contains("b &amp; c"));
    }

    #[test]
    fn a_plot_has_both_schemes_and_all_its_colours() {
        let drawn = dots().draw();
        let (light, dark) = drawn.split_once("prefers-color-scheme:dark").unwrap();
        for [in_light, in_dark] in PALETTE {
            assert!(light.contains(in_light) && dark.contains(in_dark));
        }
        assert!(light.contains(".paper{fill:#ffffff}") && dark.contains(".paper{fill:#0d1117}"));
    }

    #[test]
    fn axes_have_titles_with_units() {
        let drawn = dots().draw();
        assert!(
            drawn.contains("time of one read, ns to µs, log scale"),
            "{drawn}"
        );
        let drawn = lines().draw();
        assert!(drawn.contains("timers, log scale"), "{drawn}");
        assert!(
            drawn.contains("time of all, ns to µs, log scale"),
            "{drawn}"
        );
    }

    #[test]
    fn nothing_lies_outside() {
        for drawn in [dots().draw(), lines().draw()] {
            for part in drawn.split(" x=\"").skip(1) {
                let x: f64 = part.split('"').next().unwrap().parse().unwrap();
                assert!((0.0..=WIDTH).contains(&x), "{x} in {drawn}");
            }
        }
    }
}

//! How one thing grows with another: a curve for each that is compared, with its name at its end.

use svg::node::element::Polyline;

use super::{document, line, mark, number, text, width, Axis, Figure, COLOURS, WIDTH};

/// A plot with curves.
#[derive(Clone, Debug)]
pub struct Lines {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub curves: Vec<Curve>,
    pub names: Names,
}

/// Where the curves' names stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Each beside the end of its curve.
    AtEnds,
    /// One below the other, since all curves end in the same place.
    Listed,
}

/// One that is compared.
#[derive(Clone, Debug)]
pub struct Curve {
    pub name: String,
    pub ours: bool,
    /// Whether each point is marked.
    pub marks: bool,
    pub points: Vec<(f64, Figure)>,
}

const TOP: f64 = 48.0;
const END: f64 = 400.0;
const BOTTOM: f64 = 56.0;
const LEFT: f64 = 96.0;
/// From one name to the next.
const APART: f64 = 16.0;

impl Lines {
    /// The SVG file.
    pub fn draw(&self) -> String {
        let points = || self.curves.iter().flat_map(|curve| &curve.points);
        let across = self.x.over(points().map(|point| point.0));
        let up = self
            .y
            .over(points().flat_map(|(_, f)| [f.least(), f.median, f.most()]));
        let names = self.curves.iter().map(|curve| width(&curve.name));
        let right = WIDTH - 34.0 - names.fold(0.0, f64::max);
        let x = |value: f64| LEFT + across.at(value) * (right - LEFT);
        let y = |value: f64| END - up.at(value) * (END - TOP);

        let mut drawn = document(END + BOTTOM, &self.title);
        for &tick in across.between.iter().chain(&across.ticks) {
            drawn = drawn.add(line("grid", [x(tick), TOP], [x(tick), END]));
        }
        for &tick in up.between.iter().chain(&up.ticks) {
            drawn = drawn.add(line("grid", [LEFT, y(tick)], [right, y(tick)]));
        }
        for &tick in &across.ticks {
            let label = across.label(tick);
            drawn = drawn.add(text(x(tick), END + 18.0, "tick", "middle", &label));
        }
        for &tick in &up.ticks {
            let label = up.label(tick);
            drawn = drawn.add(text(LEFT - 8.0, y(tick) + 4.0, "tick", "end", &label));
        }
        // Ours come last, hence on top.
        let mut order: Vec<(usize, &Curve)> = self.curves.iter().enumerate().collect();
        order.sort_by_key(|(number, curve)| (curve.ours, *number));
        let colours = self.colours();
        for &(series, curve) in &order {
            let colour = colours[series];
            let corner = |(at, figure): &(f64, Figure)| {
                format!("{},{}", number(x(*at)), number(y(figure.median)))
            };
            let corners: Vec<String> = curve.points.iter().map(corner).collect();
            let main = if curve.ours { " main" } else { "" };
            drawn = drawn.add(
                Polyline::new()
                    .set("class", format!("curve s{colour}{main}"))
                    .set("points", corners.join(" ")),
            );
            for (at, figure) in &curve.points {
                if let Some([lower, upper]) = figure.quartiles {
                    let class = format!("whisker s{colour}");
                    drawn = drawn.add(line(&class, [x(*at), y(lower)], [x(*at), y(upper)]));
                    for end in [lower, upper] {
                        let y = y(end);
                        drawn = drawn.add(line(&class, [x(*at) - 3.5, y], [x(*at) + 3.5, y]));
                    }
                }
                if curve.marks {
                    drawn = drawn.add(mark(colour, x(*at), y(figure.median)));
                }
            }
        }
        let places = match self.names {
            Names::AtEnds => self.places(|figure| y(figure.median)),
            Names::Listed => self.listed(),
        };
        for (series, place) in places {
            let curve = &self.curves[series];
            let colour = colours[series];
            let class = if curve.ours { "ours" } else { "" };
            if let Some((at, last)) = curve.points.last() {
                let from = match self.names {
                    Names::AtEnds => [x(*at) + 5.0, y(last.median)],
                    Names::Listed => [right + 2.0, place],
                };
                drawn = drawn
                    .add(line(
                        &format!("whisker s{colour}"),
                        from,
                        [right + 14.0, place],
                    ))
                    .add(text(right + 18.0, place + 4.0, class, "start", &curve.name));
            }
        }
        drawn
            .add(line("frame", [LEFT, END], [right, END]))
            .add(line("frame", [LEFT, TOP], [LEFT, END]))
            .add(text(
                (LEFT + right) / 2.0,
                END + 40.0,
                "axis",
                "middle",
                &across.title,
            ))
            .add(text(0.0, 0.0, "axis", "middle", &up.title).set(
                "transform",
                format!("translate(22 {}) rotate(-90)", (TOP + END) / 2.0),
            ))
            .to_string()
    }

    /// The first colour is ours alone.
    fn colours(&self) -> Vec<usize> {
        let mut rivals = 0;
        let colour = |curve: &Curve| {
            if curve.ours {
                return 0;
            }
            rivals += 1;
            1 + (rivals - 1) % (COLOURS - 1)
        };
        self.curves.iter().map(colour).collect()
    }

    /// In their order, from the top.
    fn listed(&self) -> Vec<(usize, f64)> {
        let numbers = 0..self.curves.len();
        numbers
            .map(|number| (number, TOP + 10.0 + number as f64 * (APART + 4.0)))
            .collect()
    }

    /// How high each name stands: as high as its curve ends, but never on another.
    fn places(&self, y: impl Fn(&Figure) -> f64) -> Vec<(usize, f64)> {
        let ends = self.curves.iter().enumerate();
        let mut places: Vec<(usize, f64)> = ends
            .filter_map(|(series, curve)| Some((series, y(&curve.points.last()?.1))))
            .collect();
        places.sort_by(|a, b| a.1.total_cmp(&b.1));
        for number in 1..places.len() {
            places[number].1 = places[number].1.max(places[number - 1].1 + APART);
        }
        // Back up, where they ran out at the bottom.
        let mut lowest = END;
        for place in places.iter_mut().rev() {
            place.1 = place.1.min(lowest);
            lowest = place.1 - APART;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Unit;

    #[test]
    fn names_do_not_stand_on_one_another() {
        let curve = |name: &str, to: f64| Curve {
            name: name.into(),
            ours: false,
            marks: false,
            points: vec![(1.0, Figure::exact(to))],
        };
        let lines = Lines {
            title: String::new(),
            x: Axis::log("x", Unit::Count),
            y: Axis::log("y", Unit::Nanoseconds),
            curves: vec![
                curve("a", END),
                curve("b", END - 1.0),
                curve("c", 90.0),
                curve("d", 95.0),
            ],
            names: Names::AtEnds,
        };
        let places = lines.places(|figure| figure.median);
        assert_eq!(
            places,
            [(2, 90.0), (3, 90.0 + APART), (1, END - APART), (0, END)]
        );
    }
}

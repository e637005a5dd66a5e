// Wrong: a function proves by its `where` that the brand lives for ever, and is called with one that does not.
// Instead: nothing: whoever calls must prove it.
// Refused: argument requires that `'1` must outlive `'static`
use driver_scope::{platform::Sim, Work};

fn keep<'drv>(work: Work<'drv, Sim>) -> Work<'static, Sim>
where
    'drv: 'static,
{
    work
}

fn pass(work: Work<'_, Sim>) {
    std::thread::spawn(move || keep(work).queue());
}

fn main() {}

// Wrong: a callback is run without a word on why its scope is still there.
// Instead: `unsafe`, in the function that the source calls, which `shut` waits for.
use driver_scope::platform::registration::{Callback, Run, Signature};
use driver_scope::platform::Sim;

struct OnEdge;
impl Signature for OnEdge {
    type Context<'c> = u32;
    type Output = ();
}

fn edge(callback: &Callback<Sim, OnEdge>) -> Run<()> {
    callback.run(|| 7)
}

fn main() {}

//! What is wrong is seen.

use super::*;

fn watch() -> Arc<Watch> {
    let watch = Watch::new(&Arc::default(), "it".into(), false);
    watch.built.store(true, SeqCst);
    watch
}

#[test]
fn what_goes_in_order_is_right() {
    let watch = watch();
    let (old, new) = [(); 2]
        .map(|()| Mine::new(&watch, Some(Stage::Owned), false))
        .into();
    watch.come_to(Stage::Remove, None);
    watch.come_to(Stage::Hooks, Some(2));
    watch.come_to(Stage::Hooks, Some(1));
    drop(new);
    drop(old);
    watch.come_to(Stage::Over, None);
    assert_eq!(watch.book.wrongs(), [""; 0]);
}

#[test]
fn what_goes_out_of_order_is_seen() {
    let watch = watch();
    let (old, new) = [(); 2]
        .map(|()| Mine::new(&watch, Some(Stage::Owned), false))
        .into();
    drop(old);
    drop(new);
    watch.come_to(Stage::Hooks, None);
    let wrongs = watch.book.wrongs();
    assert_eq!(
        wrongs,
        [
            "it: Owned: not the newest first",
            "it: Hooks comes after step 5"
        ]
    );
}

#[test]
fn a_drop_in_the_middle_of_a_read_is_seen() {
    let watch = watch();
    let mine = Mine::new(&watch, None, false);
    mine.readers.fetch_add(1, SeqCst);
    drop(mine);
    assert_eq!(
        watch.book.wrongs(),
        ["it: a value is dropped while it is read"]
    );
}

#[test]
fn the_use_of_what_is_dropped_is_seen() {
    let watch = watch();
    let mine = Mine::new(&watch, None, false);
    mine.canary.store(0, SeqCst);
    mine.read(|| ());
    drop(mine);
    let wrongs = watch.book.wrongs();
    assert_eq!(
        wrongs,
        [
            "it: a value is used after its drop",
            "it: a value is dropped twice"
        ]
    );
}

#[test]
fn what_was_lent_goes_before_the_data() {
    let watch = watch();
    let lent = Mine::new(&watch, None, false);
    watch.come_to(Stage::Data, None);
    drop(lent);
    assert_eq!(
        watch.book.wrongs(),
        ["it: what was lent is dropped after the data"]
    );
}

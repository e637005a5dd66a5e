// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel has as macros and inline functions only, and its crate does not offer.
 */
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/irqflags.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

unsigned int driver_scope_level(void);
bool driver_scope_is_preemptible(void);
void driver_scope_raw_spin_lock_init(raw_spinlock_t *lock, const char *name,
				     const void *key);
void driver_scope_init_work(struct work_struct *work, work_func_t function);

/* What interrupted the current task: 0 nothing, 1 a soft interrupt, 2 a hard one, 3 one that cannot be masked. */
unsigned int driver_scope_level(void)
{
	if (in_nmi())
		return 3;
	if (in_hardirq())
		return 2;
	if (in_serving_softirq())
		return 1;
	return 0;
}

/* Whether the caller may sleep, as far as this kernel counts what forbids it. */
bool driver_scope_is_preemptible(void)
{
	if (irqs_disabled() || in_interrupt())
		return false;
	return !IS_ENABLED(CONFIG_PREEMPT_COUNT) || !in_atomic();
}

void driver_scope_raw_spin_lock_init(raw_spinlock_t *lock, const char *name,
				     const void *key)
{
#ifdef CONFIG_DEBUG_SPINLOCK
	__raw_spin_lock_init(lock, name, (struct lock_class_key *)key,
			     LD_WAIT_SPIN);
#else
	raw_spin_lock_init(lock);
#endif
}

/*
 * All work is initialised here, so one class of lockdep's would not tell apart what drivers do: work that waits for other work would be taken for work that
 * waits for itself. It is told not to look. (A wait for oneself is found out by the crate.)
 */
void driver_scope_init_work(struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
#ifdef CONFIG_LOCKDEP
	lockdep_init_map(&work->lockdep_map, "driver_scope",
			 &__lockdep_no_track__, 0);
#endif
}

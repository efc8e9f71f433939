/* The lock motor: runs until the feedback says so, at most LOCK_MS, then it is jammed. Unlocking is tried again. */
#include "board.h"

bool lock_jammed;
static bool wanted_locked;
static uint16_t running; /* ms left; 0: stands still */
static uint16_t resting; /* ms since it jammed */

static bool locked(void) { return !READ(PIN_LOCKED); }

static void motor(void) {
    if (running && wanted_locked) SET(PIN_LOCK);
    else CLEAR(PIN_LOCK);
    if (running && !wanted_locked) SET(PIN_UNLOCK);
    else CLEAR(PIN_UNLOCK);
}

static void go(void) {
    lock_jammed = false;
    running = LOCK_MS;
    resting = 0;
    motor();
}

void lock_begin(void) {
    OUTPUT(PIN_LOCK);
    OUTPUT(PIN_UNLOCK);
    SET(PIN_LOCKED); /* pull-up */
    wanted_locked = locked();
}

void lock_set(bool lock) {
    if (lock == wanted_locked) return;
    wanted_locked = lock;
    go();
}

void lock_tick(void) {
    if (running) {
        running--;
        if (locked() == wanted_locked) running = 0;
        else if (!running) lock_jammed = true;
        if (!running) motor();
    } else if (lock_jammed && !wanted_locked && ++resting >= LOCK_AGAIN_MS) {
        go();
    }
}

char lock_state(void) { return running ? 'M' : locked() ? 'L' : 'U'; }

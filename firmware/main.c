/* pyplc's board: obeys its host, and goes to the safe state without it. docs/reference/firmware-protocol.md
 *
 *   host    :V seq                                    who are you?
 *           :O seq state duty relays lock             what is wanted; each 0.2 s, another seq each time
 *   board   :V seq protocol role version uptime       when asked, and once after a reset
 *           :S seq uptime flags state duty high low proximity inlet relays lock      each 50 ms and at each change
 *
 * Safe: the pilot in state B (vehicle) or F (charger) at once, relays open OPEN_AFTER_MS later, unlocked when no voltage
 * is left. The board is in it after a reset, HOST_SILENT_MS after the last order, when the emergency input is open, when
 * the pilot is gone under power, when it cannot measure, and when the host asks for it (S). T tries relays with nothing
 * plugged in. It leaves it only when the relays
 * are open, and with an order that wants nothing: outputs asked for earlier never come back by themselves.
 */
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdlib.h>
#include <util/atomic.h>

#include "board.h"

#define STATUS_LENGTH 80

struct measured seen = {.state = 'A', .proximity = NO_READING, .inlet = NO_READING};
static volatile uint32_t milliseconds;
static bool armed, told_version;
static bool stopped = true; /* the emergency input is open */
static bool testing;     /* relays are tried with nothing plugged in */
static uint16_t reasons; /* why it tripped: HOST_SILENT, PILOT_GONE, TEST_LIVE */
static uint32_t tripped_at, heard_at, present_at;
static uint16_t last_seq;
static bool any_seq;

/* a reset by the watchdog leaves it running: off before anything else */
void watchdog_off(void) __attribute__((naked, used, section(".init3")));
void watchdog_off(void) {
    MCUSR = 0;
    wdt_disable();
}

ISR(TIMER0_COMPA_vect) { milliseconds++; }

uint32_t now_ms(void) {
    uint32_t t;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { t = milliseconds; }
    return t;
}

static void relays(uint8_t bits) {
    if (bits & 1) SET(PIN_RELAY_1);
    else CLEAR(PIN_RELAY_1);
    if (bits & 2) SET(PIN_RELAY_2);
    else CLEAR(PIN_RELAY_2);
}

static uint8_t relays_now(void) { return (IS_SET(PIN_RELAY_1) ? 1 : 0) | (IS_SET(PIN_RELAY_2) ? 2 : 0); }

/* two looks that agree */
static void look_at_emergency(void) {
    static bool before = true;
    bool open = READ(PIN_EMERGENCY);
    if (open == before) stopped = open;
    before = open;
}

static bool ready_for_power(void) { return seen.state == 'C' || seen.state == 'D'; }

/* neither pilot nor voltage */
static bool nothing_there(void) {
    return seen.state == (ROLE == 'V' ? 'E' : 'A') && seen.inlet != NO_READING && seen.inlet < INLET_TOUCHABLE;
}

static void trip(uint16_t reason) {
    if (armed) tripped_at = now_ms();
    if (armed) reasons = reason;
    armed = testing = false;
    CLEAR(PIN_ARMED);
    pilot_safe();
    relays(relays_now() & ~open_at_once);
}

static bool wants_nothing(const struct wanted *w) {
    return !w->relays && !w->duty && !w->locked && (w->state == 'B' || w->state == 'N' || w->state == 'F');
}

static void obey(struct wanted *w) {
    if (w->state == 'S') trip(0);
    if (!armed && wants_nothing(w) && !stopped && !seen.blind && !relays_now()) {
        armed = true;
        reasons = 0;
        SET(PIN_ARMED);
    }
    if (!armed) return;
    testing = w->state == 'T';
    if (testing) *w = (struct wanted){ROLE == 'V' ? 'B' : 'N', 0, w->relays, w->locked};
    pilot_set(w);
    lock_set(w->locked);
    bool may_close = testing ? nothing_there() : ready_for_power();
    relays(may_close ? w->relays : w->relays & relays_now());
}

/* what is done without a host */
static void look_after(uint32_t now) {
    look_at_emergency();
    if (stopped || seen.blind) trip(0);
    if (now - heard_at > HOST_SILENT_MS) trip(HOST_SILENT);
    if (testing && relays_now() && !nothing_there()) {
        relays(0); /* no load: at once */
        trip(TEST_LIVE);
    }
    if (testing || seen.state == 'B' || ready_for_power() || !relays_now()) present_at = now;
    if (now - present_at > GONE_MS) trip(PILOT_GONE);
    if (armed) return;
    pilot_safe();
    uint32_t since = now - tripped_at;
    if (since > OPEN_AFTER_MS) relays(0);
    bool touchable = seen.inlet != NO_READING && seen.inlet < INLET_TOUCHABLE;
    if (since > OPEN_AFTER_MS + (touchable ? UNLOCK_AFTER_MS : UNLOCK_ANYWAY_MS)) lock_set(false);
}

static void tell_version(uint16_t seq) {
    char role[2] = {ROLE, 0};
    line_begin_frame('V');
    line_number(seq);
    line_number(PROTOCOL);
    line_word(role);
    line_word(VERSION);
    line_number(now_ms());
    line_end_frame();
}

static uint16_t flags(void) {
    return (armed ? 0 : TRIPPED) | (stopped ? EMERGENCY : 0) | (READ(PIN_CLOSED) ? 0 : CONTACTOR_CLOSED) |
           (lock_jammed ? LOCK_JAMMED : 0) | (seen.diode_fault ? DIODE_FAULT : 0) | (seen.blind ? BLIND : 0) | reasons;
}

static void reading(int16_t value) {
    if (value == NO_READING) line_word("-");
    else line_signed(value);
}

static void tell_status(uint32_t now) {
    char state[2] = {seen.state, 0}, lock[2] = {lock_state(), 0};
    line_begin_frame('S');
    line_number(last_seq);
    line_number(now);
    line_number(flags());
    line_word(state);
    line_number(seen.duty);
    line_signed(seen.high);
    line_signed(seen.low);
    reading(seen.proximity);
    reading(seen.inlet);
    line_number(relays_now());
    line_word(lock);
    line_end_frame();
}

/* the next field of digits; false when it is none or above `most` */
static bool number(char **at, uint16_t most, uint16_t *value) {
    if (*(*at)++ != ' ' || **at < '0' || **at > '9') return false;
    uint32_t n = strtoul(*at, at, 10);
    *value = (uint16_t)n;
    return n <= most;
}

/* the next field, one of these letters; 0 when it is not */
static char letter(char **at, const char *of) {
    if (*(*at)++ != ' ') return 0;
    char c = *(*at)++;
    for (; *of; of++)
        if (*of == c) return c;
    return 0;
}

/* true: an order was obeyed */
static bool handle(char *at) {
    uint16_t seq, bits;
    struct wanted w;
    char kind = *at++;
    if (!number(&at, 65535, &seq)) return false;
    if (kind == 'V' && !*at) {
        tell_version(seq);
        return false;
    }
    if (kind != 'O' || !(w.state = letter(&at, ROLE == 'V' ? "SBCDT" : "SNFT"))) return false;
    if (!number(&at, ROLE == 'V' ? 0 : 970, &w.duty) || !number(&at, 3, &bits)) return false;
    char lock = letter(&at, "LU");
    if (!lock || *at) return false;
    if (any_seq && seq == last_seq) return false; /* a repeated frame is no sign of life */
    w.relays = (uint8_t)bits;
    w.locked = lock == 'L';
    last_seq = seq;
    any_seq = true;
    heard_at = now_ms();
    obey(&w);
    return true;
}

static void begin(void) {
    OUTPUT(PIN_RELAY_1);
    OUTPUT(PIN_RELAY_2);
    OUTPUT(PIN_ARMED);
    SET(PIN_EMERGENCY); /* pull-ups */
    SET(PIN_CLOSED);
    TCCR0A = _BV(WGM01);
    TCCR0B = _BV(CS01) | _BV(CS00);
    OCR0A = F_CPU / 64 / 1000 - 1;
    TIMSK0 = _BV(OCIE0A);
    line_begin();
    lock_begin();
    analog_begin();
    pilot_begin();
    wdt_enable(WDTO_250MS);
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
}

int main(void) {
    char body[40];
    uint32_t tick = 0, looked = 0, told = 0;
    char state_told = 0;
    uint16_t flags_told = 0;
    bool news = false;
    begin();
    for (;;) {
        uint32_t now = now_ms();
        while (line_receive(body, sizeof body)) news |= handle(body);
        if (tick == now && !news) { /* woken by an edge, a sample or a byte */
            sleep_mode();
            continue;
        }
        wdt_reset(); /* fed by the clock's interrupt and the loop together */
        for (; tick != now; tick++) {
            lock_tick();
            pilot_tick();
        }
        if (now - looked >= LOOK_MS) {
            looked = now;
            pilot_look();
            analog_look();
            look_after(now);
            if (!told_version) tell_version(0);
            told_version = true;
            news |= seen.state != state_told || flags() != flags_told;
        }
        if (((news && now != told) || now - told >= STATUS_MS) && line_room(STATUS_LENGTH)) {
            told = now;
            news = false;
            state_told = seen.state;
            flags_told = flags();
            tell_status(now);
        }
        sleep_mode();
    }
}

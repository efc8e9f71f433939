/* The vehicle's end of the pilot: duty by input capture, level in the positive half, states B, C, D by resistors. */
#include <avr/interrupt.h>
#include <util/atomic.h>

#include "board.h"

#define PERIOD_LEAST 1900 /* 1 kHz at 2 MHz, within 5 % */
#define PERIOD_MOST 2100
#define AGREEING 2
#define SILENT_MS 5 /* without an edge for so long there is no oscillator */

const uint8_t open_at_once = 0;
static volatile uint16_t rise, width, period;
static volatile uint32_t captured_at;

void pilot_begin(void) {
    OUTPUT(PIN_STATE_C);
    OUTPUT(PIN_STATE_D);
    SET(PIN_POSITIVE); /* pull-up */
    TCCR1A = 0;
    TCCR1B = _BV(ICNC1) | _BV(CS11); /* noise canceler, falling edge: the pilot rises; 2 MHz */
    TIMSK1 = _BV(ICIE1);
}

ISR(TIMER1_CAPT_vect) {
    uint16_t at = ICR1;
    if (TCCR1B & _BV(ICES1)) {
        width = at - rise;
    } else {
        analog_start(PILOT_HIGH);
        period = at - rise;
        rise = at;
        captured_at = now_ms();
    }
    TCCR1B ^= _BV(ICES1);
    TIFR1 = _BV(ICF1);
}

ISR(ADC_vect) {
    static bool turn;
    bool pilot = analog_channel == PILOT_HIGH;
    analog_store(ADC);
    if (!pilot) return;
    turn = !turn;
    analog_start(turn ? INLET : PROXIMITY);
}

static uint32_t since_edge(void) {
    uint32_t at;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { at = captured_at; }
    return now_ms() - at;
}

void pilot_tick(void) {
    if (since_edge() <= SILENT_MS) return;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { analog_start(PILOT_HIGH); }
}

void pilot_set(const struct wanted *w) {
    if (w->state == 'C' || w->state == 'D') SET(PIN_STATE_C);
    else CLEAR(PIN_STATE_C);
    if (w->state == 'D') SET(PIN_STATE_D);
    else CLEAR(PIN_STATE_D);
}

void pilot_safe(void) {
    CLEAR(PIN_STATE_C);
    CLEAR(PIN_STATE_D);
}

void pilot_look(void) {
    static char candidate;
    static uint8_t missed, agreeing;
    uint16_t value, p, w;
    if (analog_take(PILOT_HIGH, &value)) {
        missed = 0;
        seen.high = (int16_t)(value * 3 / 10);
        if (seen.high > 50) seen.high += DIODE_DROP;
    } else if (missed < BLIND_LOOKS) {
        missed++;
    }
    seen.blind = missed == BLIND_LOOKS;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        p = period;
        w = width;
    }
    bool running = since_edge() <= SILENT_MS && p >= PERIOD_LEAST && p <= PERIOD_MOST && w < p;
    seen.duty = running ? (uint16_t)(((uint32_t)w * 1000 + p / 2) / p) : 0;
    seen.low = 0; /* behind the diode */
    char state = seen.high > 1050 ? 'A' : seen.high > 750 ? 'B' : seen.high > 450 ? 'C' : seen.high > 150 ? 'D' : 'E';
    agreeing = state == candidate ? agreeing + (agreeing < AGREEING) : 0;
    candidate = state;
    if (agreeing == AGREEING) seen.state = state;
}

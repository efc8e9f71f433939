/* The vehicle's end of the pilot: duty by input capture, level by the peak, states B, C, D by resistors. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#include "board.h"

#define PERIOD_LEAST 1900 /* 1 kHz at 2 MHz, within 5 % */
#define PERIOD_MOST 2100
#define GONE_MS 20

static volatile uint16_t rise, width, period;
static volatile uint32_t captured_at;
static volatile uint32_t sum[3];
static volatile uint8_t count[3];

void pilot_begin(void) {
    DDRD |= _BV(PD5) | _BV(PD6);
    TCCR1A = 0;
    TCCR1B = _BV(ICNC1) | _BV(ICES1) | _BV(CS11); /* noise canceler, rising, 2 MHz */
    TIMSK1 = _BV(ICIE1);
    ADMUX = _BV(REFS0);
    ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2);
    ADCSRA |= _BV(ADSC);
}

ISR(TIMER1_CAPT_vect) {
    uint16_t at = ICR1;
    if (TCCR1B & _BV(ICES1)) {
        period = at - rise;
        rise = at;
        captured_at = now_ms();
    } else {
        width = at - rise;
    }
    TCCR1B ^= _BV(ICES1);
    TIFR1 = _BV(ICF1);
}

/* one channel after the other; each new conversion is started by pilot_look's rhythm through the sums */
ISR(ADC_vect) {
    static uint8_t channel;
    uint16_t counts = ADC;
    if (count[channel] < 16) {
        sum[channel] += counts;
        count[channel]++;
    }
    channel = channel == 2 ? 0 : channel + 1;
    ADMUX = _BV(REFS0) | channel;
}

static bool take(uint8_t channel, uint16_t *into) {
    bool full = false;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        if (count[channel] == 16) {
            *into = (uint16_t)sum[channel];
            sum[channel] = 0;
            count[channel] = 0;
            full = true;
        }
    }
    return full;
}

void pilot_set(const struct wanted *w) {
    if (w->state == 'C' || w->state == 'D') PORTD |= _BV(PD5);
    else PORTD &= ~_BV(PD5);
    if (w->state == 'D') PORTD |= _BV(PD6);
    else PORTD &= ~_BV(PD6);
}

void pilot_safe(void) { PORTD &= ~(_BV(PD5) | _BV(PD6)); }

void pilot_look(void) {
    uint16_t value, p, w;
    uint32_t at;
    if (take(PILOT_CHANNEL, &value)) seen.high = (int16_t)(millivolt(value >> 4) * 3 / 10);
    if (take(PROXIMITY_CHANNEL, &value)) seen.proximity = millivolt(value >> 4);
    if (take(INLET_CHANNEL, &value)) seen.inlet = value;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        p = period;
        w = width;
        at = captured_at;
    }
    bool running = now_ms() - at < GONE_MS && p >= PERIOD_LEAST && p <= PERIOD_MOST && w < p;
    seen.duty = running ? (uint16_t)(((uint32_t)w * 1000 + p / 2) / p) : 0;
    seen.low = running ? -1200 : 0;
    seen.state = seen.high > 1050 ? 'A' : seen.high > 750 ? 'B' : seen.high > 450 ? 'C' : seen.high > 150 ? 'D' : 'E';
}

bool pilot_forbids_power(uint8_t relays) {
    (void)relays;
    return false; /* the host opens: a charger's current must be gone first */
}

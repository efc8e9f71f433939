/* The converter: one conversion at a time, started by the pilot's rhythm, averaged until somebody takes the mean.
 *
 * At 125 kHz a sample is held 12 to 20 us after its start: past the edge of the pilot, within its shortest pulse (5 %).
 */
#include <avr/interrupt.h>
#include <util/atomic.h>

#include "board.h"

static const uint8_t pins[CHANNELS] = {CHANNEL(PIN_PILOT), CHANNEL(PIN_PILOT), CHANNEL(PIN_PROXIMITY), CHANNEL(PIN_INLET)};
volatile enum channel analog_channel;
static volatile uint16_t sum[CHANNELS];
static volatile uint8_t count[CHANNELS];

void analog_begin(void) {
    ADMUX = _BV(REFS0);
    ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);
}

bool analog_start(enum channel channel) {
    if (ADCSRA & _BV(ADSC)) return false;
    analog_channel = channel;
    ADMUX = _BV(REFS0) | pins[channel];
    ADCSRA |= _BV(ADSC);
    return true;
}

void analog_store(uint16_t counts) {
    enum channel channel = analog_channel;
    if (count[channel] == 32) return;
    sum[channel] += counts;
    count[channel]++;
}

bool analog_take(enum channel channel, uint16_t *millivolt) {
    uint16_t total;
    uint8_t samples;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        total = sum[channel];
        samples = count[channel];
        sum[channel] = 0;
        count[channel] = 0;
    }
    if (!samples) return false;
    *millivolt = (uint16_t)((uint32_t)total * 5000UL / (1024UL * samples));
    return true;
}

/* a value that was not sampled lately is none */
static int16_t fresh(enum channel channel, int16_t before, uint8_t *missed) {
    uint16_t millivolt;
    if (analog_take(channel, &millivolt)) {
        *missed = 0;
        return (int16_t)millivolt;
    }
    if (*missed < BLIND_LOOKS) {
        ++*missed;
        return before;
    }
    return NO_READING;
}

void analog_look(void) {
    static uint8_t missed[2];
    static int16_t inlet = NO_READING;
    seen.proximity = fresh(PROXIMITY, seen.proximity, &missed[0]);
    inlet = fresh(INLET, inlet, &missed[1]);
    seen.inlet = inlet == NO_READING || inlet > 4980 ? NO_READING : (int16_t)((uint32_t)inlet * INLET_FULL_SCALE / 5000);
}

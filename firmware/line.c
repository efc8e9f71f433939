/* Framed lines:  :KIND field field ... *CRC\n   CRC-16/XMODEM of what is between : and *, four hex digits. */
#include <avr/interrupt.h>
#include <stdlib.h>
#include <util/crc16.h>

#include "board.h"

#define RING 128 /* a power of two */

static volatile uint8_t rx[RING], rx_in, rx_out, tx[RING], tx_in, tx_out;
static uint16_t crc_out;

void line_begin(void) {
    UBRR0 = (F_CPU / 8 / BAUD_RATE) - 1;
    UCSR0A = _BV(U2X0);
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
}

ISR(USART_RX_vect) {
    uint8_t byte = UDR0, next = (rx_in + 1) & (RING - 1);
    if (next != rx_out) {
        rx[rx_in] = byte;
        rx_in = next;
    }
}

ISR(USART_UDRE_vect) {
    if (tx_out == tx_in) {
        UCSR0B &= ~_BV(UDRIE0);
        return;
    }
    UDR0 = tx[tx_out];
    tx_out = (tx_out + 1) & (RING - 1);
}

/* without room a frame is not begun: a host that does not read must not stop the board */
bool line_room(uint8_t size) { return ((uint8_t)(tx_out - tx_in - 1) & (RING - 1)) >= size; }

static void put(char c) {
    uint8_t next = (tx_in + 1) & (RING - 1);
    if (next == tx_out) return;
    tx[tx_in] = (uint8_t)c;
    tx_in = next;
    UCSR0B |= _BV(UDRIE0);
}

static void put_counted(char c) {
    crc_out = _crc_xmodem_update(crc_out, (uint8_t)c);
    put(c);
}

void line_begin_frame(char kind) {
    put(':');
    crc_out = 0;
    put_counted(kind);
}

void line_word(const char *text) {
    put_counted(' ');
    while (*text) put_counted(*text++);
}

void line_number(uint32_t value) {
    char text[12];
    ultoa(value, text, 10);
    line_word(text);
}

void line_signed(int16_t value) {
    char text[8];
    itoa(value, text, 10);
    line_word(text);
}

void line_end_frame(void) {
    uint16_t crc = crc_out;
    put('*');
    for (int8_t shift = 12; shift >= 0; shift -= 4) put("0123456789ABCDEF"[(crc >> shift) & 15]);
    put('\n');
}

static int8_t hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool line_receive(char *body, uint8_t size) {
    static char held[48];
    static uint8_t length;
    static bool inside;
    while (rx_out != rx_in) {
        char c = (char)rx[rx_out];
        rx_out = (rx_out + 1) & (RING - 1);
        if (c == ':') {
            inside = true;
            length = 0;
        } else if (c == '\n' && inside) {
            inside = false;
            if (length < 6 || held[length - 5] != '*' || length - 5 >= size) continue;
            uint16_t crc = 0, told = 0;
            bool well = true;
            for (uint8_t i = 0; i < length - 5; i++) crc = _crc_xmodem_update(crc, (uint8_t)held[i]);
            for (uint8_t i = length - 4; i < length; i++) {
                well = well && hex(held[i]) >= 0;
                told = told << 4 | (uint16_t)(hex(held[i]) & 15);
            }
            if (!well || crc != told) continue;
            for (uint8_t i = 0; i < length - 5; i++) body[i] = held[i];
            body[length - 5] = 0;
            return true;
        } else if (inside) {
            if (length == sizeof held) inside = false;
            else held[length++] = c;
        }
    }
    return false;
}

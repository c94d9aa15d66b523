package compiled

import (
	"bytes"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	want := &Filter{Insns: bytes.Repeat([]byte("insn8byt"), 3), Flags: 6, Notify: true}
	b, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Insns, want.Insns) || got.Flags != want.Flags || got.Notify != want.Notify {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i := range b {
		b[i] ^= 0x10
		if _, err := Decode(b); err == nil {
			t.Errorf("a change of byte %d is not noticed", i)
		}
		b[i] ^= 0x10
	}
	for n := range b {
		if _, err := Decode(b[:n]); err == nil {
			t.Errorf("%d bytes of %d decode", n, len(b))
		}
	}
}

func TestEncodeErrors(t *testing.T) {
	for want, insns := range map[string][]byte{
		"a filter of 0 bytes":                              nil,
		"a filter of 9 bytes":                              make([]byte, 9),
		"4097 instructions, the kernel takes at most 4096": make([]byte, 4097*8),
	} {
		if _, err := Encode(&Filter{Insns: insns}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	b, err := Encode(&Filter{Insns: make([]byte, MaxInsns*InsnSize)})
	if err != nil || len(b) != MaxSize {
		t.Error(len(b), err)
	}
}

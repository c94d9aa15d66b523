package main

import (
	"bytes"
	"os"
	"testing"
)

// TestGeneratedFileIsFresh fails when the runtime-spec module was upgraded without `go generate ./spec`.
func TestGeneratedFileIsFresh(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../decode_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("spec/decode_gen.go is stale: run go generate ./spec")
	}
}

package spec

import (
	"encoding/json"
	"os"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func readTestdata(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// BenchmarkDecode compares with encoding/json, which also decodes the seccomp profile; decoder+seccomp does so too.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"runc-1.1.json", "docker.json"} {
		data := readTestdata(b, name)
		measure := func(sub string, f func() error) {
			b.Run(name+"/"+sub, func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		measure("decoder", func() error { _, err := Decode(data); return err })
		measure("decoder+seccomp", func() error {
			doc, err := Decode(data)
			if err == nil {
				err = doc.DecodeSeccomp()
			}
			return err
		})
		measure("encoding_json", func() error { return json.Unmarshal(data, new(specs.Spec)) })
	}
}

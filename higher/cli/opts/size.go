package opts

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/docker/go-units"
	"github.com/spf13/pflag"
)

// Bytes is a size with a binary unit: 64m, 1g.
func Bytes(fs *pflag.FlagSet, to *int64, name, short, usage string) {
	Var(fs, "bytes", name, short, usage, func(s string) (err error) {
		*to, err = units.RAMInBytes(s)
		return err
	})
}

// Swap is Bytes, or -1 for no limit.
func Swap(fs *pflag.FlagSet, to *int64, name, usage string) {
	Var(fs, "bytes", name, "", usage, func(s string) (err error) {
		if s == "-1" {
			*to = -1
			return nil
		}
		*to, err = units.RAMInBytes(s)
		return err
	})
}

// CPUs is a number of processors, in billionths.
func CPUs(fs *pflag.FlagSet, to *int64, name, usage string) {
	Var(fs, "decimal", name, "", usage, func(s string) error {
		n, ok := new(big.Rat).SetString(s)
		if !ok {
			return fmt.Errorf("failed to parse %s as a rational number", s)
		}
		n.Mul(n, big.NewRat(1e9, 1))
		if !n.IsInt() {
			return errors.New("value is too precise")
		}
		*to = n.Num().Int64()
		return nil
	})
}

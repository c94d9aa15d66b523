// Package json reads JSON texts (RFC 8259) without reflection.
//
// It is a cursor over one document: the caller asks for what it expects next (an object, a string, an
// unsigned 32-bit number) and gets it, or the cursor stops for good and Err says where and why. Strings are
// slices of one copy of the input, so that a whole config.json costs a handful of allocations.
//
//	d := json.New(data)
//	if d.Object() {
//		for d.Next() {
//			switch d.Name() {
//			case "pid":
//				d.Int(&state.Pid)
//			default:
//				d.Ignore()
//			}
//		}
//	}
//	err := d.End()
//
// The meaning of a document is that of encoding/json wherever a user could tell: null leaves a plain value
// alone, the last of several equal keys wins, a key also matches in another case (Fold), an unpaired surrogate
// escape becomes U+FFFD. It is stricter in two ways: bytes that are not UTF-8 are an error (encoding/json
// silently replaces them, which would change a path), and nesting is limited to MaxDepth.
package json

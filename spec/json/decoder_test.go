package json_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/spec/json"
)

func TestString(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":              {`""`, ""},
		"plain":              {` "abc" `, "abc"},
		"two-byte escapes":   {`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		"code point":         {`"\u00e9A\u20AC"`, "éA€"},
		"NUL":                {`"a\u0000b"`, "a\x00b"},
		"surrogate pair":     {`"\ud83d\ude00!"`, "😀!"},
		"lone high":          {`"\ud83dx"`, "\ufffdx"},
		"lone low":           {`"\ude00x"`, "\ufffdx"},
		"high, not low":      {`"\ud83d\u0041"`, "\ufffdA"},
		"high, high, low":    {`"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		"UTF-8":              {`"naïve 😀"`, "naïve 😀"},
		"UTF-8 and escape":   {`"ï\nï"`, "ï\nï"},
		"DEL stands alone":   {"\"\x7f\"", "\x7f"},
		"null leaves it":     {`null`, "before"},
		"replacement itself": {"\"\ufffd\"", "\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			got := "before"
			d := json.New([]byte(test.text))
			d.String(&got)
			if err := d.End(); err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestSyntaxErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":              {``, `line 1, column 1: expected a value, found the end of the text`},
		"space only":           {" \n ", `line 2, column 2: expected a value, found the end of the text`},
		"byte order mark":      {"\ufeff{}", `line 1, column 1: expected a value, found '\ufeff'`},
		"NUL byte":             {"\x00", `line 1, column 1: expected a value, found '\x00'`},
		"two values":           {"{}\n{}", `line 2, column 1: unexpected '{' after the end of the document`},
		"NUL at the end":       {"{}\x00", `line 1, column 3: unexpected '\x00' after the end of the document`},
		"no comma":             {`{"a":1 "b":2}`, `line 1, column 8: expected ',' or '}' after a property, found '"'`},
		"trailing comma":       {`{"a":1,}`, `line 1, column 8: expected a property name in double quotes, found '}'`},
		"leading comma":        {`{,"a":1}`, `line 1, column 2: expected a property name in double quotes, found ','`},
		"no colon":             {`{"a" 1}`, `line 1, column 6: expected ':' after a property name, found '1'`},
		"bare key":             {`{a:1}`, `line 1, column 2: expected a property name in double quotes, found 'a'`},
		"open object":          {`{"a":1`, `line 1, column 7: expected ',' or '}' after a property, found the end of the text`},
		"array, no comma":      {`[1 2]`, `line 1, column 4: expected ',' or ']' after an element, found '2'`},
		"array, trailing":      {`[1,]`, `line 1, column 4: expected a value after ',', found ']'`},
		"array, leading":       {`[,1]`, `line 1, column 2: expected a value, found ','`},
		"wrong bracket":        {`[1}`, `line 1, column 3: expected ',' or ']' after an element, found '}'`},
		"comment":              {"{// x\n}", `line 1, column 2: expected a property name in double quotes, found '/'`},
		"word":                 {`nul`, `line 1, column 1: expected null`},
		"long word":            {`trueish`, `line 1, column 5: unexpected 'i' after the end of the document`},
		"NaN":                  {`NaN`, `line 1, column 1: expected a value, found 'N'`},
		"plus":                 {`+1`, `line 1, column 1: expected a value, found '+'`},
		"leading zero":         {`01`, `line 1, column 2: unexpected '1' after the end of the document`},
		"minus alone":          {`-`, `line 1, column 2: expected a digit, found the end of the text`},
		"no fraction":          {`1.`, `line 1, column 3: expected a digit, found the end of the text`},
		"no exponent":          {`1e+`, `line 1, column 4: expected a digit, found the end of the text`},
		"open string":          {`"abc`, `line 1, column 5: the string has no closing quote`},
		"open escape":          {`"abc\`, `line 1, column 5: the string has no closing quote`},
		"escaped end":          {`"abc\"`, `line 1, column 7: the string has no closing quote`},
		"unknown escape":       {`"\x41"`, `line 1, column 3: unknown escape sequence: \ before 'x'`},
		"short escape":         {`"\u12"`, `line 1, column 2: expected four hexadecimal digits after \u`},
		"newline in a string":  {"\"a\nb\"", `line 1, column 3: control character '\n' in a string must be escaped`},
		"invalid UTF-8":        {"\"a\xffb\"", `line 1, column 3: the string is not UTF-8`},
		"overlong UTF-8":       {"\"\xc0\xaf\"", `line 1, column 2: the string is not UTF-8`},
		"surrogate in UTF-8":   {"\"\xed\xa0\x80\"", `line 1, column 2: the string is not UTF-8`},
		"invalid UTF-8 in key": {"{\"a\xff\":1}", `line 1, column 4: the string is not UTF-8`},
		"too deep":             {strings.Repeat("[", 1001), `line 1, column 1001: objects and arrays nest too deeply`},
	} {
		t.Run(name, func(t *testing.T) {
			d := json.New([]byte(test.text))
			d.Skip()
			if err := d.End(); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestDepthLimit(t *testing.T) {
	d := json.New([]byte(strings.Repeat("[", 1000) + strings.Repeat("]", 1000)))
	d.Skip()
	if err := d.End(); err != nil {
		t.Error(err)
	}
}

func TestIntegers(t *testing.T) {
	for _, test := range []struct {
		text string
		read func(d *json.Decoder) any
		want any
		err  string
	}{
		{"0", i64, int64(0), ""},
		{"-0", i64, int64(0), ""},
		{"9223372036854775807", i64, int64(1<<63 - 1), ""},
		{"-9223372036854775808", i64, int64(-1 << 63), ""},
		{"9223372036854775808", i64, int64(7), "cannot use number 9223372036854775808 as signed 64-bit integer"},
		{"18446744073709551615", u64, uint64(1<<64 - 1), ""},
		{"18446744073709551616", u64, uint64(7), "cannot use number 18446744073709551616 as unsigned 64-bit integer"},
		{"4294967295", u32, uint32(1<<32 - 1), ""},
		{"4294967296", u32, uint32(7), "cannot use number 4294967296 as unsigned 32-bit integer"},
		{"-1", u32, uint32(7), "cannot use number -1 as unsigned 32-bit integer"},
		{"1.0", u32, uint32(7), "cannot use number 1.0 as unsigned 32-bit integer"},
		{"1e3", i64, int64(7), "cannot use number 1e3 as signed 64-bit integer"},
		{"null", u32, uint32(7), ""},
		{`"1"`, u32, uint32(7), "cannot use string as unsigned 32-bit integer"},
		{`true`, u32, uint32(7), "cannot use boolean as unsigned 32-bit integer"},
		{`[1]`, u32, uint32(7), "cannot use array as unsigned 32-bit integer"},
		{`{}`, i64, int64(7), "cannot use object as signed 64-bit integer"},
		{`-x`, i64, int64(7), "line 1, column 2: expected a digit, found 'x'"},
	} {
		t.Run(test.text, func(t *testing.T) {
			d := json.New([]byte(test.text))
			got := test.read(d)
			message := ""
			if d.Err() != nil {
				message = d.Err().Error()
			}
			if got != test.want || message != test.err {
				t.Errorf("got %v, %q; want %v, %q", got, message, test.want, test.err)
			}
		})
	}
}

func i64(d *json.Decoder) any { n := int64(7); d.Int64(&n); return n }
func u64(d *json.Decoder) any { n := uint64(7); d.Uint64(&n); return n }
func u32(d *json.Decoder) any { n := uint32(7); d.Uint32(&n); return n }

func TestScalars(t *testing.T) {
	var got struct {
		a bool
		b int
		c int32
		d uint
		e uint16
		f bool
	}
	got.f = true
	d := json.New([]byte(`[true, -5, -6, 7, 8, false]`))
	if !d.Array() {
		t.Fatal(d.Err())
	}
	for _, read := range []func(){
		func() { d.Bool(&got.a) }, func() { d.Int(&got.b) }, func() { d.Int32(&got.c) },
		func() { d.Uint(&got.d) }, func() { d.Uint16(&got.e) }, func() { d.Bool(&got.f) },
	} {
		if !d.More() {
			t.Fatal(d.Err())
		}
		read()
	}
	if d.More() || d.End() != nil {
		t.Error("the array goes on:", d.Err())
	}
	if !got.a || got.b != -5 || got.c != -6 || got.d != 7 || got.e != 8 || got.f {
		t.Errorf("got %+v", got)
	}
}

func TestUnknownPointers(t *testing.T) {
	d := json.New([]byte(`{"a/b~c": 1, "known": {"x": [1, {"y": "]}"}], "l": null}, "L": [0, {"\u0065": 3}, {"known":{"z":{}}}]}`))
	visit(d)
	if err := d.End(); err != nil {
		t.Fatal(err)
	}
	want := []string{"/a~1b~0c", "/known/x", "/L/1/e", "/L/2/known/z"}
	if got := d.Unknown(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// visit knows objects that have an object "known" and an array "l" of a number and objects.
func visit(d *json.Decoder) {
	if !d.Object() {
		return
	}
	for d.Next() {
	again:
		switch d.Name() {
		case "known":
			visit(d)
		case "l":
			if d.Array() && d.More() {
				for d.Skip(); d.More(); {
					visit(d)
				}
			}
		default:
			if d.Fold([]string{"known", "l"}) {
				goto again
			}
			d.Ignore()
		}
	}
}

func TestTypeErrorPointer(t *testing.T) {
	d := json.New([]byte(`{"a": {"b": [true, [], {"c d": "no"}]}}`))
	n := uint32(0)
	for d.Object(); d.Next(); {
		for d.Object(); d.Next(); {
			d.Array()
			d.More()
			d.Skip()
			d.More()
			d.Skip()
			d.More()
			for d.Object(); d.Next(); {
				d.Uint32(&n)
			}
		}
	}
	want := "/a/b/2/c d: cannot use string as unsigned 32-bit integer"
	if err := d.End(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRaw(t *testing.T) {
	text := `{"a": [1, {"b": null}] , "c": 2}`
	d := json.New([]byte(text))
	d.Object()
	d.Next()
	start, end := d.Raw()
	if got := text[start:end]; got != `[1, {"b": null}]` {
		t.Errorf("got %q", got)
	}
	d.SkipRest()
	if err := d.End(); err != nil {
		t.Error(err)
	}
}

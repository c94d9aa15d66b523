package cgroup

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// request is one access to one device.
type request struct {
	typ          DeviceType
	major, minor int64
	access       Access
}

// requests is a small world in which random rules meet often. The numbers
// above 3 are never named by a rule, except the one that has its sign bit set.
func requests() []request {
	numbers := []int64{0, 1, 2, 3, 7, 1<<32 - 1}
	var all []request
	for _, typ := range []DeviceType{'b', 'c'} {
		for _, major := range numbers {
			for _, minor := range numbers {
				for a := Access(1); a <= allAccess; a++ {
					all = append(all, request{typ, major, minor, a})
				}
			}
		}
	}
	return all
}

func randomRules(r *rand.Rand) []DeviceRule {
	numbers := []int64{anyNumber, anyNumber, anyNumber, 0, 1, 2, 3, 1<<32 - 1}
	rules := make([]DeviceRule, r.IntN(9))
	for i := range rules {
		rules[i] = DeviceRule{
			Allow:  r.IntN(5) > 1,
			Type:   DeviceType("abc"[r.IntN(3)]),
			Major:  numbers[r.IntN(len(numbers))],
			Minor:  numbers[r.IntN(len(numbers))],
			Access: Access(1 + r.IntN(7)),
		}
		if r.IntN(3) == 0 {
			rules[i].Access = allAccess
		}
	}
	return rules
}

// reference applies the rules in order to the three bits of one device.
func reference(rules []DeviceRule, q request) bool {
	may := map[Access]bool{}
	for _, r := range rules {
		about := (r.Type == 'a' || r.Type == q.typ) && (r.Major == -1 || r.Major == q.major) && (r.Minor == -1 || r.Minor == q.minor)
		for _, bit := range []Access{AccessMknod, AccessRead, AccessWrite} {
			if about && r.Access&bit != 0 {
				may[bit] = r.Allow
			}
		}
	}
	for _, bit := range []Access{AccessMknod, AccessRead, AccessWrite} {
		if q.access&bit != 0 && !may[bit] {
			return false
		}
	}
	return true
}

// interpret runs a program as the kernel does, with the checks of its verifier
// that matter here: it ends, jumps stay inside, and registers are set before use.
func interpret(t *testing.T, code []byte, q request) bool {
	t.Helper()
	reg, set := [11]uint64{}, [11]bool{regContext: true}
	typ := map[DeviceType]uint32{'b': 1, 'c': 2}[q.typ]
	ctx := map[int16]uint32{0: uint32(q.access)<<16 | typ, 4: uint32(q.major), 8: uint32(q.minor)}
	for pc := 0; pc*insnSize < len(code); pc++ {
		raw := code[pc*insnSize:]
		dst, src := raw[1]&15, raw[1]>>4
		off, imm := int16(binary.NativeEndian.Uint16(raw[2:])), binary.NativeEndian.Uint32(raw[4:])
		if op := raw[0]; op == opAnd || op == opShift || op&7 == 6 {
			if !set[dst] {
				t.Fatalf("instruction %d reads register %d before it is set", pc, dst)
			}
		}
		jump := false
		switch raw[0] {
		case opLoad32:
			reg[dst], set[dst] = uint64(ctx[off]), true
		case opMove:
			reg[dst], set[dst] = uint64(uint32(reg[src])), true
		case opSet:
			reg[dst], set[dst] = uint64(int64(int32(imm))), true
		case opAnd:
			reg[dst] = uint64(uint32(reg[dst]) & imm)
		case opShift:
			reg[dst] = uint64(uint32(reg[dst]) >> imm)
		case opJump:
			jump = true
		case opJumpEq:
			jump = uint32(reg[dst]) == imm
		case opJumpNe:
			jump = uint32(reg[dst]) != imm
		case opJumpOn:
			jump = uint32(reg[dst])&imm != 0
		case opExit:
			return reg[regResult] == 1
		default:
			t.Fatalf("instruction %d has the unknown opcode %#x", pc, raw[0])
		}
		if jump {
			if off < 0 {
				t.Fatalf("instruction %d jumps back", pc)
			}
			pc += int(off)
		}
	}
	t.Fatal("the program runs past its end")
	return false
}

func TestFilterDecidesAsTheRules(t *testing.T) {
	all := requests()
	for seed := range uint64(4000) {
		rules := randomRules(rand.New(rand.NewPCG(seed, 1)))
		code, err := compileFilter(rules)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range all {
			if got, want := interpret(t, code, q), reference(rules, q); got != want {
				t.Fatalf("seed %d, rules %v: filter says %v to %c %d:%d %s", seed, rules, got, q.typ, q.major, q.minor, q.access)
			}
		}
		if grantsAll(rules) {
			for _, q := range all {
				if !reference(rules, q) {
					t.Fatalf("rules %v are taken for a licence to everything", rules)
				}
			}
		}
	}
}

// kernelV1 decides as security/device_cgroup.c: an exception to "deny all" must
// cover the whole request, one to "allow all" refuses any part of it.
func kernelV1(allowAll bool, list []DeviceRule, q request) bool {
	for _, e := range list {
		if !e.matches(q.typ, q.major, q.minor) {
			continue
		}
		if !allowAll && q.access&^e.Access == 0 {
			return true
		}
		if allowAll && q.access&e.Access != 0 {
			return false
		}
	}
	return allowAll
}

func TestV1ListDecidesAsTheRules(t *testing.T) {
	all, expressed := requests(), 0
	for seed := range uint64(4000) {
		rules := randomRules(rand.New(rand.NewPCG(seed, 2)))
		allowAll, list, err := v1List(rules)
		if err != nil {
			continue
		}
		expressed++
		for _, e := range list {
			if e.Allow == allowAll {
				t.Fatalf("rules %v: %v is no exception", rules, e)
			}
		}
		for _, q := range all {
			if got, want := kernelV1(allowAll, list, q), reference(rules, q); got != want {
				t.Fatalf("seed %d, rules %v, list %v %v: v1 says %v to %c %d:%d %s", seed, rules, allowAll, list, got, q.typ, q.major, q.minor, q.access)
			}
		}
	}
	if expressed < 1000 {
		t.Errorf("only %d of 4000 lists could be expressed", expressed)
	}
}

func TestDefaultRulesStayMinimalOnV1(t *testing.T) {
	deny := DeviceRule{Type: 'a', Major: -1, Minor: -1, Access: allAccess}
	null := DeviceRule{Allow: true, Type: 'c', Major: 1, Minor: 3, Access: AccessRead}
	_, list, err := v1List(append([]DeviceRule{deny, null}, DefaultDeviceRules()...))
	if err != nil || len(list) != len(DefaultDeviceRules()) {
		t.Errorf("list %v, error %v", list, err)
	}
}

func TestV1CannotPunchHoles(t *testing.T) {
	rules := []DeviceRule{
		{Allow: true, Type: 'c', Major: 4, Minor: -1, Access: allAccess},
		{Allow: false, Type: 'c', Major: 4, Minor: 5, Access: AccessWrite},
	}
	if _, _, err := v1List(rules); err == nil || !strings.Contains(err.Error(), "linux.resources.devices") {
		t.Errorf("error %v", err)
	}
	if _, err := compileFilter(rules); err != nil {
		t.Errorf("cgroup v2 can: %v", err)
	}
}

func TestManyRules(t *testing.T) {
	h := &Host{Mode: Unified, V2Root: "/sys/fs/cgroup"}
	rules := make([]specs.LinuxDeviceCgroup, maxRules)
	for i := range rules {
		n := int64(i)
		rules[i] = specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: &n, Minor: &n, Access: "r"}
	}
	if _, err := Compile(h, "/x", "c1", &specs.LinuxResources{Devices: rules}); err != nil {
		t.Error(err)
	}
	if _, err := Compile(h, "/x", "c1", &specs.LinuxResources{Devices: append(rules, rules[0])}); err == nil {
		t.Error("there is no limit")
	}
}

func ExampleDeviceRule_String() {
	fmt.Println(DefaultDeviceRules()[2])
	// Output: allow c 1:3 rwm
}

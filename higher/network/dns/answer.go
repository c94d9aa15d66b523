package dns

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// A Zone is what a container can see by name.
type Zone interface {
	// Lookup returns the addresses of a name, in lower case and without the last dot; ok says whether anybody has it,
	// which may be without an address of some family.
	Lookup(name string) (addresses []netip.Addr, ok bool)
	// Reverse returns the name of an address, fully qualified without the last dot.
	Reverse(netip.Addr) (name string, ok bool)
	// KeepSingleLabels says not to forward names without a dot.
	KeepSingleLabels() bool
}

// ttl of answers in seconds, Docker's.
const ttl = 600

// Sizes of messages, RFC 1035 section 4.2.
const (
	minimal = 512
	maximal = 65535
)

var errForward = errors.New("not ours to answer")

// answer returns the response to a query, or errForward for one about something that the zone does not have. Over UDP,
// a response that is longer than the client takes is cut and marked.
func answer(z Zone, query []byte, udp bool) ([]byte, error) {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil {
		return nil, fmt.Errorf("cannot read the header: %w", err)
	}
	if head.Response {
		return nil, errors.New("a response came as a query")
	}
	if head.OpCode != 0 {
		return failure(query, dnsmessage.RCodeNotImplemented)
	}
	questions, err := p.AllQuestions()
	if err != nil || len(questions) != 1 {
		return failure(query, dnsmessage.RCodeFormatError)
	}
	limit := maximal
	if udp {
		limit = max(minimal, payloadSize(&p))
	}
	q := questions[0]
	if q.Class != dnsmessage.ClassINET {
		return nil, errForward
	}
	records, err := recordsOf(z, q)
	if err != nil {
		return nil, err
	}
	return build(head, q, records, limit)
}

// payloadSize is that of the query's EDNS(0) record, RFC 6891; 0 if there is none.
func payloadSize(p *dnsmessage.Parser) int {
	if p.SkipAllAnswers() != nil || p.SkipAllAuthorities() != nil {
		return 0
	}
	for {
		h, err := p.AdditionalHeader()
		if err != nil {
			return 0
		}
		if h.Type == dnsmessage.TypeOPT {
			return int(h.Class)
		}
		if p.SkipAdditional() != nil {
			return 0
		}
	}
}

// recordsOf are the answers to a question.
func recordsOf(z Zone, q dnsmessage.Question) ([]dnsmessage.ResourceBody, error) {
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if q.Type == dnsmessage.TypePTR {
		if a, ok := reverseName(name); ok {
			if host, ok := z.Reverse(a); ok {
				ptr, err := dnsmessage.NewName(host + ".")
				if err != nil {
					return nil, errForward // longer than a name may be
				}
				return []dnsmessage.ResourceBody{&dnsmessage.PTRResource{PTR: ptr}}, nil
			}
		}
		return nil, errForward
	}
	addresses, ok := z.Lookup(name)
	if !ok {
		address := q.Type == dnsmessage.TypeA || q.Type == dnsmessage.TypeAAAA
		if address && z.KeepSingleLabels() && !strings.Contains(name, ".") {
			return nil, nil
		}
		return nil, errForward
	}
	var records []dnsmessage.ResourceBody
	for _, a := range addresses {
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			records = append(records, &dnsmessage.AResource{A: a.As4()})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			records = append(records, &dnsmessage.AAAAResource{AAAA: a.As16()})
		}
	}
	// Several containers with one alias share its clients.
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return records, nil
}

// reverseName reads a name of in-addr.arpa or ip6.arpa, RFC 1035 section 3.5 and RFC 3596 section 2.5.
func reverseName(name string) (netip.Addr, bool) {
	if digits, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		p := strings.Split(digits, ".")
		if len(p) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(p[3] + "." + p[2] + "." + p[1] + "." + p[0])
		return a, err == nil
	}
	digits, ok := strings.CutSuffix(name, ".ip6.arpa")
	p := strings.Split(digits, ".")
	if !ok || len(p) != 32 {
		return netip.Addr{}, false
	}
	var text strings.Builder
	for i := len(p) - 1; i >= 0; i-- {
		if len(p[i]) != 1 {
			return netip.Addr{}, false
		}
		text.WriteString(p[i])
		if i > 0 && i%4 == 0 {
			text.WriteByte(':')
		}
	}
	a, err := netip.ParseAddr(text.String())
	return a, err == nil && a.Zone() == ""
}

// build packs a response with as many records as fit.
func build(head dnsmessage.Header, q dnsmessage.Question, records []dnsmessage.ResourceBody, limit int) ([]byte, error) {
	for n := len(records); ; n /= 2 {
		out, err := pack(head, q, records[:n], n < len(records))
		if err != nil || len(out) <= limit || n == 0 {
			return out, err
		}
	}
}

func pack(head dnsmessage.Header, q dnsmessage.Question, records []dnsmessage.ResourceBody, cut bool) ([]byte, error) {
	m := dnsmessage.Message{
		Header: dnsmessage.Header{ID: head.ID, Response: true, Authoritative: false, Truncated: cut, RecursionDesired: head.RecursionDesired,
			RecursionAvailable: true, CheckingDisabled: head.CheckingDisabled},
		Questions: []dnsmessage.Question{q},
	}
	for _, r := range records {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: ttl}, Body: r})
	}
	return m.Pack()
}

// failure is a response that has only a code.
func failure(query []byte, code dnsmessage.RCode) ([]byte, error) {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil {
		return nil, fmt.Errorf("cannot read the header: %w", err)
	}
	questions, _ := p.AllQuestions()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: head.ID, Response: true, OpCode: head.OpCode, RecursionDesired: head.RecursionDesired,
		RecursionAvailable: true, RCode: code}, Questions: questions}
	return m.Pack()
}

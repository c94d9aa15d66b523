package dns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// timeout of one server, Docker's.
const timeout = 4 * time.Second

// forward asks the servers in turn until one has an answer, and returns it, or a failure.
func forward(servers []Upstream, query []byte, proto string) ([]byte, error) {
	if len(query) < headerSize {
		return nil, errors.New("a query that is shorter than its header")
	}
	var last []byte
	for _, s := range servers {
		response, err := s.ask(query, proto)
		if err != nil {
			continue
		}
		code := dnsmessage.RCode(response[3] & 0xf)
		if code != dnsmessage.RCodeServerFailure && code != dnsmessage.RCodeRefused {
			return response, nil
		}
		last = response
	}
	if last != nil {
		return last, nil
	}
	if len(servers) == 0 {
		return failure(query, dnsmessage.RCodeRefused)
	}
	return failure(query, dnsmessage.RCodeServerFailure)
}

const headerSize = 12

// ask forwards a query with an id of our own, from a port that the kernel picks: both have to be guessed by whoever
// wants to forge an answer (RFC 5452).
func (s Upstream) ask(query []byte, proto string) ([]byte, error) {
	dial := s.Dial
	if dial == nil {
		dial = dialHere
	}
	c, err := dial(proto, s.Addr, timeout)
	if err != nil {
		return nil, fmt.Errorf("cannot reach server %s: %w", s.Addr, err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(timeout))
	ours := bytes.Clone(query)
	id := uint16(rand.Uint32())
	binary.BigEndian.PutUint16(ours, id)
	var response []byte
	if proto == "tcp" {
		response, err = askTCP(c, ours)
	} else {
		response, err = askUDP(c, ours)
	}
	if err != nil {
		return nil, fmt.Errorf("no answer from server %s: %w", s.Addr, err)
	}
	copy(response, query[:2])
	return response, nil
}

func askTCP(c net.Conn, query []byte) ([]byte, error) {
	if err := writeMessage(c, query); err != nil {
		return nil, err
	}
	response, err := readMessage(c)
	if err == nil && !answers(response, query) {
		err = errors.New("the response is to another query")
	}
	return response, err
}

func askUDP(c net.Conn, query []byte) ([]byte, error) {
	if _, err := c.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, maximal)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		if answers(buf[:n], query) {
			return bytes.Clone(buf[:n]), nil
		}
	}
}

// answers says whether a message is the response to a query: its id and its question.
func answers(response, query []byte) bool {
	var r, q dnsmessage.Parser
	rh, err := r.Start(response)
	if err != nil || !rh.Response {
		return false
	}
	qh, err := q.Start(query)
	if err != nil || rh.ID != qh.ID {
		return false
	}
	asked, err := q.Question()
	if err != nil {
		return true // nothing to compare
	}
	answered, err := r.Question()
	if err != nil { // some servers leave it out of failures
		return rh.RCode != dnsmessage.RCodeSuccess
	}
	return asked.Type == answered.Type && asked.Class == answered.Class && strings.EqualFold(asked.Name.String(), answered.Name.String())
}

func dialHere(proto string, addr netip.AddrPort, timeout time.Duration) (net.Conn, error) {
	return net.DialTimeout(proto, addr.String(), timeout)
}

package templates

import (
	"wikictl/templates/escape"
	"wikictl/tenants"
)

// Reader is one database server from which a wiki reads: a member of $wgDBservers.
type Reader struct {
	Address   string // in the form of $wgDBserver
	Load      int64  // share of the reads
	MaxLag    int64  // seconds; 0: it is the primary
	Encrypted bool   // by TLS
}

// readersOf lists a server and its replicas, the server first; nil if it has none.
func readersOf(s *tenants.Server, l tenants.Layout) ([]Reader, error) {
	if len(s.Replicas) == 0 {
		return nil, nil
	}
	var readers []Reader
	for _, one := range append([]*tenants.Server{s}, s.Replicas...) {
		address, err := addressOf(one, l)
		if err != nil {
			return nil, err
		}
		readers = append(readers, Reader{Address: address, Load: one.Load, MaxLag: one.MaxLag, Encrypted: one.Encrypted()})
	}
	return readers, nil
}

// addressOf returns a server's address in the form of $wgDBserver.
func addressOf(s *tenants.Server, l tenants.Layout) (string, error) {
	address, ok := s.Address(l)
	if !ok {
		return "", &escape.Error{Value: s.DSN, At: s.Position, Why: "has no address that MediaWiki could use"}
	}
	return address, nil
}

package container

import "strings"

// adjectives and surnames make names of containers that nobody named: sailing weather and good company.
var (
	adjectives = strings.Fields(`able agile airy amber ample azure balmy brave breezy bright brisk calm candid cheery
		chilly clear clever cobalt coastal cosy crisp daring dapper deft distant eager early earnest easterly fair famous
		fleet fluent fond frank fresh gentle gilded glad golden graceful grand handy hardy hearty helpful honest hopeful
		jaunty jolly jovial keen kind lively lofty lucid lucky lunar mellow merry mighty mild misty modest nimble noble
		northern patient placid plucky polar polite proud quick quiet radiant rapid ready robust roving sailing salty
		serene silent silver sleek snug solar southern spry stable starry steady sturdy sunny sure swift tidal tidy trim
		trusty upbeat valiant vast vivid warm westerly windy wise witty zesty`)

	surnames = strings.Fields(`abel adleman agnesi alhazen allen anning apgar aryabhata avogadro babbage backus bailey
		banneker barre battuta beaufort bernoulli bhabha boole borg bowditch brahmagupta braille burnell cannon cantor
		cauchy celsius church clarke codd conway cook cray curie darwin davy descartes dijkstra dirac drebbel earhart
		edison einstein engelbart erdos ericson euclid euler faraday fermat fermi feynman fibonacci finsen flamsteed
		franklin galileo galois gauss germain goodall hamilton harrison henson hertz hodgkin hooke hopper humboldt huygens
		hypatia ibnmajid jemison joule kepler khwarizmi knuth kovalevskaya lamarr lamport leavitt liskov lovelace magellan
		maury maxwell mccarthy meitner mendeleev mercator mitchell nansen napier newton noether ohm pascal pasteur perlman
		piccard planck polo ptolemy quimby ramanujan ride ritchie salk seacole shannon shepard sinclair somerville
		tereshkova tesla thompson torvalds turing volta wallis watt wiles wirth wozniak wright yonath zhenghe zuse`)
)

"""The phrases that generated texts are made of, by domain and intent."""

from typing import Final

OPENINGS: Final = (
    *("", "please", "can you", "could you", "i need you to", "i want you to", "hey,"),
    *("would you", "it is time to", "do me a favour and", "i would like you to", "quickly"),
)
"""Before a request; all intents share them."""

CLOSINGS: Final = (
    *("", "please", "today", "right now", "if you can", "for me", "when you have a minute"),
    *("before tonight", "thanks", "as soon as possible"),
)
"""Behind a request; all intents share them."""

ASIDES: Final = (
    *("before we get to {}", "and then i still have {} on my list", "as i said about {}"),
    *("i was just busy with {}", "later it is about {}", "not like with {}"),
)
"""What a text may add about a thing of another domain."""

DOMAINS: Final[dict[str, tuple[tuple[str, ...], dict[str, tuple[str, str]]]]] = {
    "banking": (
        (
            *("my checking account", "my savings account", "the joint account"),
            *("my salary account", "the business account", "my daughter's account"),
        ),
        {
            "balance": ("tell me how much money is in {}", "show the balance of {}"),
            "freeze": ("freeze {}", "block all payments from {}"),
            "transfer": ("transfer fifty dollars to {}", "move money into {}"),
            "statement": ("send the last statement of {}", "print the bookings of {}"),
            "open_account": ("open another account beside {}", "set up a new one like {}"),
            "close_account": ("close {} for good", "cancel {} and pay it out"),
            "interest": ("look up the interest rate of {}", "say what interest {} earns"),
            "direct_debit": ("stop the direct debit on {}", "change the standing order of {}"),
        },
    ),
    "travel": (
        (
            *("a trip to lisbon", "the flight to oslo", "our journey to kyoto"),
            *("the tour of peru", "a weekend in prague", "the visit to nairobi"),
        ),
        {
            "book": ("book {}", "reserve two seats for {}"),
            "cancel": ("cancel {} and refund it", "call off {}"),
            "visa": ("find out if {} needs a visa", "check the visa rules for {}"),
            "vaccines": ("list the vaccines for {}", "say which shots {} requires"),
            "luggage": ("tell me how many bags {} allows", "add a suitcase to {}"),
            "delay": ("see whether {} is delayed", "warn me if {} is late"),
            "hotel": ("find a hotel for {}", "look for a room during {}"),
            "insurance": ("insure {}", "get travel insurance for {}"),
        },
    ),
    "kitchen": (
        (
            *("a mushroom risotto", "the lentil soup", "an apple pie"),
            *("the beef stew", "a chickpea curry", "banana bread"),
        ),
        {
            "recipe": ("find a recipe for {}", "explain how to make {}"),
            "calories": ("count the calories of {}", "say how many calories {} has"),
            "cook_time": ("tell me how long to cook {}", "say when {} is done"),
            "substitute": ("replace the butter in {}", "swap an ingredient of {}"),
            "shopping": ("put everything for {} on the shopping list", "buy what {} needs"),
            "storage": ("say how long {} keeps in the fridge", "tell me if {} can be frozen"),
            "wine": ("pair a wine with {}", "suggest what to drink with {}"),
            "spice": ("add some spice to {}", "season {} better"),
        },
    ),
    "car": (
        (
            *("my old car", "the rental van", "the red truck"),
            *("my electric car", "the company car", "our camper"),
        ),
        {
            "fuel": ("check how much fuel {} has left", "say if {} needs gas"),
            "tires": ("look at the tire pressure of {}", "tell me when {} needs new tires"),
            "repair": ("find a mechanic who repairs {}", "get the broken light of {} fixed"),
            "inspection": ("schedule the inspection of {}", "renew the sticker of {}"),
            "parking": ("remember where i parked {}", "find a parking spot for {}"),
            "oil": ("say when to change the oil of {}", "check the oil level of {}"),
            "sell": ("sell {}", "estimate what {} is worth"),
            "wash": ("take {} to the car wash", "get {} cleaned inside"),
        },
    ),
    "home": (
        (
            *("the living room", "my bedroom", "the basement"),
            *("the guest bathroom", "the hallway", "our garage"),
        ),
        {
            "lights": ("turn off the lights in {}", "dim the lamp in {}"),
            "heating": ("set {} to twenty degrees", "make {} warmer"),
            "cleaning": ("vacuum {}", "send the robot to clean {}"),
            "music": ("play some jazz in {}", "turn up the speakers in {}"),
            "locks": ("lock the door of {}", "see whether {} is locked"),
            "camera": ("show the camera of {}", "record what moves in {}"),
            "paint": ("choose a colour for the walls of {}", "plan to paint {}"),
            "leak": ("report a leak in {}", "call a plumber about the water in {}"),
        },
    ),
    "work": (
        (
            *("the budget meeting", "my shift on friday", "the sales review"),
            *("the team lunch", "the training week", "our project kickoff"),
        ),
        {
            "schedule": ("schedule {} for monday", "put {} into the calendar"),
            "decline": ("decline {} politely", "say that i cannot come to {}"),
            "notes": ("write up the notes of {}", "summarise {}"),
            "room": ("book a room for {}", "find a place to hold {}"),
            "invite": ("invite everybody to {}", "add maria to {}"),
            "postpone": ("postpone {} by a week", "move {} to the afternoon"),
            "remind": ("remind me of {}", "set an alarm before {}"),
            "expenses": ("file the expenses of {}", "hand in the receipts of {}"),
        },
    ),
    "health": (
        (
            *("my sore knee", "the rash on my arm", "my son's cough"),
            *("a bad headache", "the pain in my back", "my allergy"),
        ),
        {
            "appointment": ("make an appointment about {}", "see a doctor for {}"),
            "medicine": ("order the medicine for {}", "refill the prescription for {}"),
            "cause": ("explain what causes {}", "say why i have {}"),
            "exercise": ("suggest exercises against {}", "stretch with me for {}"),
            "sick_note": ("get a sick note for {}", "tell my boss about {}"),
            "insurance": ("ask if my insurance covers {}", "send in the bill for {}"),
            "diary": ("note down how {} is", "keep a diary of {}"),
            "pharmacy": ("find an open pharmacy for {}", "buy a cream for {}"),
        },
    ),
    "shopping": (
        (
            *("the blue jacket", "a pair of running shoes", "the coffee machine"),
            *("a wooden desk", "the birthday present", "two concert tickets"),
        ),
        {
            "order": ("order {}", "buy {} online"),
            "return": ("return {}", "send {} back to the shop"),
            "track": ("track the parcel with {}", "say where {} is on its way"),
            "price": ("compare prices for {}", "find {} for less money"),
            "review": ("read me reviews of {}", "rate {} with five stars"),
            "wishlist": ("put {} on my wish list", "save {} for later"),
            "size": ("check the size of {}", "exchange {} for a larger one"),
            "coupon": ("use a coupon on {}", "look for a discount on {}"),
        },
    ),
    "phone": (
        (
            *("my mother", "the dentist", "aunt clara"),
            *("my landlord", "the school office", "doctor brandt"),
        ),
        {
            "call": ("call {}", "ring up {}"),
            "text": ("text {} that i am late", "send a message to {}"),
            "voicemail": ("play the voicemail from {}", "listen to what {} said"),
            "block": ("block calls from {}", "mute {}"),
            "contact": ("save the number of {}", "update the contact of {}"),
            "birthday": ("congratulate {} on the birthday", "say when the birthday of {} is"),
            "video": ("start a video call with {}", "show my screen to {}"),
            "redial": ("redial {}", "try {} once more, it was busy"),
        },
    ),
    "media": (
        (
            *("the new space film", "that podcast on bees", "the crime series"),
            *("my running playlist", "the beatles album", "an audiobook by twain"),
        ),
        {
            "play": ("play {}", "start {} from the beginning"),
            "pause": ("pause {}", "stop {} for a moment"),
            "like": ("remember that i like {}", "give {} a thumbs up"),
            "about": ("say who made {}", "tell me what {} is about"),
            "download": ("download {} for offline use", "keep {} on this device"),
            "share": ("share {} with my friends", "post a link to {}"),
            "subtitles": ("turn on captions for {}", "show the words of {}"),
            "similar": ("find something like {}", "recommend more like {}"),
        },
    ),
}
"""Domain -> what it is about, which all its intents share, and each intent's ways to ask."""

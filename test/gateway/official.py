"""A session of the official Python client (ibapi) with the simulated gateway.

usage: official.py PORT

Prints one JSON object of what it saw.
"""
import json
import sys
import threading
import time

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper


class App(EWrapper, EClient):
    def __init__(self):
        EClient.__init__(self, self)
        self.seen = {}
        self.statuses = {}
        self.errors = []

    def note(self, name, value=True):
        self.seen.setdefault(name, value)

    def error(self, reqId, errorCode, errorString, *rest):
        self.errors.append(errorCode)

    def nextValidId(self, orderId):
        self.note('nextValidId', orderId)

    def managedAccounts(self, accountsList):
        self.note('accounts', accountsList)

    def contractDetails(self, reqId, contractDetails):
        self.note('minTick', contractDetails.minTick)

    def contractDetailsEnd(self, reqId):
        self.note('contractDetailsEnd')

    def historicalData(self, reqId, bar):
        self.note('historicalData', bar.close > 0)

    def historicalDataEnd(self, reqId, start, end):
        self.note('historicalDataEnd')

    def tickPrice(self, reqId, tickType, price, attrib):
        self.note(f'tick{tickType}', price > 0)

    def realtimeBar(self, reqId, time, open_, high, low, close, volume, wap, count):
        self.note('realtimeBar', close > 0)

    def accountSummary(self, reqId, account, tag, value, currency):
        self.note(tag, float(value) > 0)

    def accountSummaryEnd(self, reqId):
        self.note('accountSummaryEnd')

    def position(self, account, contract, position, avgCost):
        self.note('position', float(position))

    def positionEnd(self):
        self.note('positionEnd')

    def openOrder(self, orderId, contract, order, orderState):
        self.note('openOrder', order.orderType)

    def orderStatus(self, orderId, status, *rest):
        self.statuses.setdefault(orderId, []).append(status)

    def execDetails(self, reqId, contract, execution):
        self.note('execution', [execution.side, float(execution.shares)])

    def commissionReport(self, commissionReport):
        self.note('commission', commissionReport.commission)

    def completedOrder(self, contract, order, orderState):
        self.note('completedOrder', orderState.status)

    def completedOrdersEnd(self):
        self.note('completedOrdersEnd')


def wait(condition, what):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise SystemExit(f'{what} did not come; saw {app.seen}, {app.statuses}, errors {app.errors}')


app = App()
app.connect('127.0.0.1', int(sys.argv[1]), 12)
threading.Thread(target=app.run, daemon=True).start()
wait(lambda: 'nextValidId' in app.seen and 'accounts' in app.seen, 'nextValidId')
app.seen['version'] = app.serverVersion()

contract = Contract()
contract.symbol, contract.secType, contract.exchange, contract.currency = 'SYN', 'STK', 'SMART', 'USD'
app.reqContractDetails(1, contract)
app.reqHistoricalData(2, contract, '', '1 D', '5 mins', 'TRADES', 1, 1, False, [])
app.reqMktData(3, contract, '', False, False, [])
app.reqRealTimeBars(4, contract, 5, 'TRADES', True, [])
app.reqAccountSummary(5, 'All', 'NetLiquidation,BuyingPower')
wait(lambda: {'contractDetailsEnd', 'historicalDataEnd', 'tick1', 'tick2', 'realtimeBar', 'accountSummaryEnd'}
     <= set(app.seen), 'data')


def order(action, kind, quantity, **fields):
    one = Order()
    one.action, one.orderType, one.totalQuantity, one.transmit = action, kind, quantity, True
    one.eTradeOnly, one.firmQuoteOnly = False, False
    for name, value in fields.items():
        setattr(one, name, value)
    return one


first = app.seen['nextValidId']
app.placeOrder(first, contract, order('BUY', 'MKT', 100))
wait(lambda: 'Filled' in app.statuses.get(first, []) and 'commission' in app.seen, 'a fill')
app.placeOrder(first + 1, contract, order('BUY', 'LMT', 10, lmtPrice=50.0))
wait(lambda: 'Submitted' in app.statuses.get(first + 1, []), 'a limit order')
app.cancelOrder(first + 1)
wait(lambda: 'Cancelled' in app.statuses.get(first + 1, []), 'a cancel')
app.reqPositions()
app.reqCompletedOrders(False)
wait(lambda: {'positionEnd', 'completedOrdersEnd'} <= set(app.seen), 'positions')
app.disconnect()
app.seen['errors'] = sorted(set(app.errors) - {2104, 2106, 2158})
print(json.dumps(app.seen))
